// Keys of the page on which lines of the bank are matched: j and k move, Enter accepts the first suggestion, s searches, m selects a line with others,
// x splits, g makes a gift of a line, a sets aside, u undoes the last match. Each of them is also a field or a button.
(() => {
  const lines = [...document.querySelectorAll("[data-line]")];
  const said = document.getElementById("bank-said");
  let at = -1;
  const box = () => lines[at]?.querySelector('input[name="line[]"]');
  const move = (by) => {
    if (!lines.length) return;
    at = Math.min(lines.length - 1, Math.max(0, at + by));
    lines.forEach((line, i) => line.classList.toggle("bank-here", i === at));
    const to = box() || lines[at];
    to.focus();
    lines[at].scrollIntoView({ block: "nearest" });
    said.textContent = lines[at].querySelector(".bank-row").textContent.replace(/\s+/g, " ");
  };
  const fold = (field) => {
    const more = document.getElementById("more");
    if (!more) return;
    more.open = true;
    const here = box();
    if (here) here.checked = true;
    document.getElementById(field).focus();
  };
  const acts = {
    j: () => move(1),
    k: () => move(-1),
    s: () => document.getElementById("q").focus(),
    m: () => {
      const here = box();
      if (here) here.checked = !here.checked;
    },
    x: () => fold("split"),
    g: () => lines[at]?.querySelector("[data-gift]")?.click(),
    a: () => fold("reason"),
    u: () => document.querySelector(".bank-lines [data-undo]")?.click(),
    Enter: () => lines[at]?.querySelector("[data-accept]")?.click(),
  };
  lines.forEach((line, i) => line.addEventListener("focusin", () => { at = i; }));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, button, a, summary");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    acts[event.key]();
  }, true);
})();
