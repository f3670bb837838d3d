// What furo, Sphinx and pandas leave to the page: levels of the captions, names of the side bars, scrolling by keyboard, corners of frames.
document.addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.setAttribute("aria-level", "2");
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
  for (const corner of document.querySelectorAll(".dataframe th:empty")) corner.replaceWith(document.createElement("td"));
  for (const place of document.querySelectorAll("pre, .table-wrapper, .ft-scroll, [style*='overflow-x']")) place.tabIndex = 0;
});
