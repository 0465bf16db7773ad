// Looks again after a while. Where scripts do not run, a meta refresh does it.
(() => {
  const { url, seconds } = document.getElementById("wait").dataset;
  setTimeout(() => location.replace(url), Number(seconds) * 1000);
})();
