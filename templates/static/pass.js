// The pass comes behind the # of the link, so that no server on the way writes it down; from there it goes into the
// field, and out of the address and the history.
(() => {
  const pass = location.hash.slice(1);
  if (!pass) return;
  document.getElementById("pass").value = pass;
  history.replaceState(null, "", location.pathname + location.search);
})();
