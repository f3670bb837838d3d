// Outputs: an output of plain HTML is found by its class, and comes alive.

/** Call `found` with each element of a class, once, now and whenever one appears; returns what ends that. */
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
