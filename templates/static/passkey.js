// A passkey is asked for by the browser; its answer goes into the form, which is then sent. The options come with the page,
// bytes in base64url.
(() => {
  const box = document.getElementById("passkey");
  if (!box) return;
  const form = box.closest("form"), status = document.getElementById("passkey-status"), again = document.getElementById("passkey-again");
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (all) => all.map((c) => ({ ...c, id: bytes(c.id) }));
  const ask = async () => {
    again.hidden = true;
    status.textContent = box.dataset.asking;
    try {
      const options = JSON.parse(box.dataset.options);
      options.challenge = bytes(options.challenge);
      let found;
      if (box.dataset.mode === "create") {
        options.user.id = bytes(options.user.id);
        options.excludeCredentials = known(options.excludeCredentials);
        found = await navigator.credentials.create({ publicKey: options });
      } else {
        options.allowCredentials = known(options.allowCredentials);
        found = await navigator.credentials.get({ publicKey: options });
      }
      const r = found.response, response = { clientDataJSON: text(r.clientDataJSON) };
      if (r.attestationObject) {
        response.attestationObject = text(r.attestationObject);
        response.transports = r.getTransports?.() ?? [];
      } else {
        response.authenticatorData = text(r.authenticatorData);
        response.signature = text(r.signature);
        if (r.userHandle) response.userHandle = text(r.userHandle);
      }
      const credential = { id: found.id, rawId: text(found.rawId), type: found.type, clientExtensionResults: {}, response };
      const answer = JSON.stringify({ nonce: box.dataset.nonce, credential });
      form.elements.assertion.value = text(new TextEncoder().encode(answer));
      HTMLFormElement.prototype.submit.call(form);
    } catch {
      status.textContent = box.dataset.failed;
      again.hidden = false;
    }
  };
  again.addEventListener("click", ask);
  ask();
})();
