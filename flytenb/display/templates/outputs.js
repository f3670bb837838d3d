// Outputs: static HTML outputs are found by their class and made interactive.

/** Call `found` once with each element of a class, existing or added later; return a function that stops this. */
function watch(name, found) {
  const known = new WeakSet();
  const take = (element) => {
    if (known.has(element)) return;
    known.add(element);
    found(element);
  };
  const look = (root) => {
    if (root.classList?.contains(name)) take(root);
    for (const element of [...(root.getElementsByClassName?.(name) ?? [])]) take(element);
  };
  const observer = new MutationObserver((records) => records.forEach((record) => record.addedNodes.forEach(look)));
  observer.observe(document.documentElement, { childList: true, subtree: true });
  look(document);
  return () => observer.disconnect();
}
