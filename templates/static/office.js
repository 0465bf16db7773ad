// Keys of the office's pages: / search (of gifts, on pages without a field for it), j and k between rows, Enter opens (a link does that itself), [ and ] to the previous
// and next thing, n begins a batch, ? lists the keys. Every one of them is also a link or a field.
(() => {
  const rows = () => [...document.querySelectorAll("tr[data-row] .open")];
  const keys = document.getElementById("keys");
  if (keys) keys.hidden = false;
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const follow = (rel) => document.querySelector(`main a[rel="${rel}"]`)?.click();
  const acts = {
    "/": () => {
      const field = document.getElementById("q");
      if (field) field.focus();
      else {
        const gifts = document.querySelector(".office-nav a[data-search]");
        if (gifts) location.assign(gifts.href + "#q");
      }
    },
    j: () => step(1),
    k: () => step(-1),
    "]": () => follow("next"),
    "[": () => follow("prev"),
    n: () => {
      const field = document.getElementById("received_on");
      if (field) field.focus();
      else {
        const batches = document.querySelector(".office-nav a[data-new]");
        if (batches) location.assign(batches.href + "#received_on");
      }
    },
    "?": () => {
      if (!keys) return;
      keys.open = !keys.open;
      keys.querySelector("summary").focus();
    },
  };
  if (location.hash === "#received_on") document.getElementById("received_on")?.focus();
  if (location.hash === "#q") document.getElementById("q")?.focus();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing && event.key === "Escape") typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  });
})();
