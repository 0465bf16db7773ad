// Says the amount in the button and above it, as it is chosen. Without this
// file the form says the same in general words and works all the same.
(() => {
  const form = document.getElementById("give");
  const charge = document.getElementById("charge");
  const button = document.getElementById("submit");
  const plain = { charge: charge.textContent, button: button.textContent };
  const other = form.elements.amount_other;

  // The other amount as people write it: 25, 25.50, 25,50, 1,250, $25.
  const typed = () => {
    const text = other.value.replace(/[\s$]/g, "").replace(/[.,](?=\d{3}(\D|$))/g, "");
    return /^\d{1,9}([.,]\d{1,2})?$/.test(text) ? Number(text.replace(",", ".")) : NaN;
  };

  const say = () => {
    const chosen = form.elements.amount.value;
    const amount = chosen === "other" ? typed() : Number(chosen || NaN);
    const frequency = form.elements.frequency.value;
    const said = form.querySelector(`[data-frequency="${frequency}"]`);
    if (!(amount > 0) || !said) {
      charge.textContent = plain.charge;
      button.textContent = plain.button;
      return;
    }
    const money = new Intl.NumberFormat(form.dataset.locale, {
      style: "currency",
      currency: form.dataset.currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
    }).format(amount);
    charge.textContent = said.dataset.charge.replace("{amount}", () => money);
    button.textContent = said.dataset.button.replace("{amount}", () => money);
  };

  other.addEventListener("input", () => {
    if (other.value) document.getElementById("amount-other").checked = true;
  });
  for (const preset of form.querySelectorAll("[name=amount]")) {
    preset.addEventListener("change", () => {
      if (preset.value !== "other") other.value = "";
    });
  }
  // By pointer only: an arrow key that passes over the choice must not be caught in the field.
  document.getElementById("amount-other").addEventListener("click", (event) => {
    if (event.detail > 0) other.focus();
  });
  form.addEventListener("input", say);
  form.addEventListener("change", say);
  window.addEventListener("pageshow", say);
  say();
})();
