// Keys of a batch: the next field to type has the focus, a digit chooses one of the donors that are listed, Escape leaves a field. Without the script
// the same is done by the tab key and the buttons. "Several funds" shows a field for each fund.
(() => {
  const form = document.querySelector("form.batch-row");
  if (!form) return;
  const next = document.getElementById(form.dataset.focus);
  if (next && (!location.hash || location.hash === "#donor")) {
    next.focus();
    if (next.select) next.select();
  }
  const fund = document.getElementById("fund"), several = document.getElementById("several");
  const show = () => { several.hidden = several.disabled = fund.value !== "several:"; };
  fund.addEventListener("change", show);
  show();
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = form.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
