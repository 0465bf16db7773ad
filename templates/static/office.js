// Keys of the office's pages: / search (of gifts, on pages without a field for it), j and k between rows or cards, Enter opens (a link does that itself), [ and ] to the previous
// and next thing, n begins a batch, ? lists the keys. Every one of them is also a link or a field.
(() => {
  const rows = () => [...document.querySelectorAll("tr[data-row] .open, .waits li h3 a")];
  const keys = document.getElementById("keys");
  if (keys) keys.hidden = false;
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((link) => link.closest("tr, li").contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.closest("tr, li").scrollIntoView({ block: "nearest" });
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

// The form of a refund over several funds says what the amounts come to.
(() => {
  const form = document.getElementById("refund");
  const sum = document.getElementById("sum");
  if (!form || !sum) return;
  const scale = Number(form.dataset.scale);
  const read = (typed) => {
    const bare = typed.replace(/USD|[\s$]/gi, "");
    if (scale === 100 && /^[1-9]\d{0,2}\.\d{3}$/.test(bare)) return NaN; // it has two readings
    const text = bare.replace(/[.,](?=\d{3}(\D|$))/g, "");
    return /^(?=.?\d)\d{0,9}([.,]\d{1,2})?$/.test(text) ? Math.round(Number(text.replace(",", ".")) * scale) : NaN;
  };
  const money = (minor) => new Intl.NumberFormat(form.dataset.locale, {
    style: "currency", currency: form.dataset.currency, minimumFractionDigits: minor % scale ? 2 : 0,
  }).format(minor / scale);
  const say = () => {
    const typed = [...form.querySelectorAll(".part input")].filter((part) => part.value.trim());
    const all = typed.reduce((all, part) => all + read(part.value), 0);
    const values = { sum: money(all), all: sum.dataset.all };
    sum.textContent = typed.length && !Number.isNaN(all) ? sum.dataset.says.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap) : "";
  };
  form.addEventListener("input", say);
  say();
})();
