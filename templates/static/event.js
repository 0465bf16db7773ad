// A tablet that many donors share: what one has typed and left behind is gone after two minutes without a touch,
// and the browser's own memory of a form is not brought back.
(() => {
  const form = document.getElementById("give");
  const away = 120 * 1000;
  let idle;
  const wake = () => {
    clearTimeout(idle);
    idle = setTimeout(() => location.replace(form.getAttribute("action")), away);
  };
  for (const touch of ["input", "pointerdown", "keydown", "scroll"]) document.addEventListener(touch, wake, { passive: true });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(form.getAttribute("action"));
  });
  wake();
})();
