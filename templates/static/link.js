// The link's secret comes behind its #, so that no server on the way writes it down; from there it goes into the form, and out
// of the address and the history. Only a press of the button sends it, unless the form is to be sent at once.
(() => {
  const secret = location.hash.slice(1);
  const form = document.getElementById("link");
  if (!secret || !form) return;
  document.getElementById("secret").value = secret;
  history.replaceState(null, "", location.pathname + location.search);
  if ("atOnce" in form.dataset) return HTMLFormElement.prototype.submit.call(form); // form.submit is the button
  form.hidden = false;
  document.getElementById("submit").focus();
})();
