// Says the amount in the button and above it, as it is chosen, what the fee
// adds to it, and what is left to share. Without this file the form says the
// same in general words and works all the same.
(() => {
  const form = document.getElementById("give");
  const charge = document.getElementById("charge");
  const button = document.getElementById("submit");
  const plain = { charge: charge.textContent, button: button.textContent };
  const other = form.elements.amount_other;
  const scale = Number(form.dataset.scale);

  // An amount as people write it (25, 25.50, 25,50, 1,250, $25), in minor units. 1.250 has two readings in English.
  const group = form.dataset.locale === "pt-BR" ? "." : ",";
  const read = (written) => {
    const bare = written.replace(/USD|dollars?|d[oó]lar(es)?|dola|[\s$]/gi, "");
    if (scale === 100 && /^[1-9]\d{0,2}[.,]\d{3}$/.test(bare) && bare[bare.length - 4] !== group) return NaN;
    const text = bare.replace(/[.,](?=\d{3}(\D|$))/g, "");
    return /^(?=.?\d)\d{0,9}([.,]\d{1,2})?$/.test(text) ? Math.round(Number(text.replace(",", ".")) * scale) : NaN;
  };
  const money = (minor) => new Intl.NumberFormat(form.dataset.locale, {
    style: "currency",
    currency: form.dataset.currency,
    minimumFractionDigits: minor % scale ? 2 : 0,
  }).format(minor / scale);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);

  const longDate = (date) => fill(form.dataset.date, {
    day: date.getDate() === 1 ? form.dataset.first : date.getDate(),
    month: form.dataset.months.split(",")[date.getMonth()],
    year: date.getFullYear(),
  });

  const gift = () => {
    const chosen = form.elements.amount.value;
    if ((!chosen || chosen === "other") && !other.value.trim() && shared() > 0) return shared();
    return chosen === "other" ? read(other.value) : Math.round(Number(chosen || NaN) * scale);
  };

  // What the parts come to: they are the gift if no other amount is chosen.
  const split = document.getElementById("split");
  const parts = split ? [...split.querySelectorAll("input")] : [];
  const shared = () => parts.reduce((all, part) => all + (part.value.trim() ? read(part.value) : 0), 0);

  // What must be added so that the gift is left after the fee, as the server reckons it: every number here
  // is whole and below 2^53, and the quotient is too far from a whole number to be rounded to one.
  const cover = document.getElementById("cover");
  const box = form.elements.cover_fees;
  const label = cover && cover.querySelector("label");
  const examples = document.getElementById("cover-examples");
  const unpriced = label && label.textContent;
  const added = (amount) => {
    if (!cover || !(amount > 0)) return NaN;
    return Math.ceil((amount + Number(cover.dataset.fixed)) * 10000 / (10000 - Number(cover.dataset.points))) - amount;
  };

  // What a number of payments comes to. A month too short for today's day has its payment on its last day.
  const times = form.elements.occurrences;
  const comes = document.getElementById("comes");
  const lastDay = (frequency, n) => {
    const now = new Date();
    if (frequency === "weekly") return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 7 * n);
    const month = now.getMonth() + n * { monthly: 1, quarterly: 3, yearly: 12 }[frequency];
    const most = new Date(now.getFullYear(), month + 1, 0).getDate();
    return new Date(now.getFullYear(), month, Math.min(now.getDate(), most));
  };
  const plan = (each) => {
    if (!comes) return;
    const frequency = form.elements.frequency.value;
    const once = frequency === "once";
    times.disabled = once;
    times.closest(".field").hidden = once;
    const n = Number(times.value);
    comes.textContent = once || !(each > 0) || !Number.isInteger(n) || n < 2 || n > 1040 ? "" : fill(comes.dataset.comes, {
      n, amount: money(each), all: money(each * n),
      date: longDate(lastDay(frequency, n - 1)),
    });
  };

  const say = () => {
    const amount = gift();
    const extra = added(amount);
    if (label) {
      examples.hidden = extra > 0;
      label.textContent = extra > 0 ? fill(cover.dataset.exact, { cover: money(extra), amount: money(amount) }) : unpriced;
    }
    const total = { amount: money(amount + (extra > 0 && box.checked ? extra : 0)) };
    plan(amount + (extra > 0 && box.checked ? extra : 0));
    const said = form.querySelector(`[data-frequency="${form.elements.frequency.value}"]`);
    if (!(amount > 0) || !said) {
      charge.textContent = plain.charge;
      button.textContent = plain.button;
      return;
    }
    charge.textContent = fill(said.dataset.charge, total);
    button.textContent = fill(said.dataset.button, total);
  };

  // A gift is for one fund or shared among several: writing a part takes the choice back, and choosing takes
  // the parts back.
  const funds = split ? [...form.elements.fund] : [];
  const left = document.getElementById("split-left");
  let chosen = funds.find((fund) => fund.checked) ?? funds[0];
  const share = () => {
    const written = parts.some((part) => part.value.trim());
    if (chosen) chosen.checked = !written;
    const rest = written ? gift() - shared() : NaN;
    const words = split && (rest > 0 ? split.dataset.left : rest < 0 ? split.dataset.over : rest === 0 ? split.dataset.even : "");
    if (left) left.textContent = fill(words, { amount: money(Math.abs(rest)) });
  };
  for (const fund of funds) {
    fund.addEventListener("change", () => {
      chosen = fund;
      for (const part of parts) part.value = "";
      split.open = false;
    });
  }

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
  const follow = () => { say(); share(); };
  form.addEventListener("input", follow);
  form.addEventListener("change", follow);
  window.addEventListener("pageshow", () => {
    if (parts.some((part) => part.value)) split.open = true; // a browser gives back values, not what was open
    follow();
  });
  follow();
})();
