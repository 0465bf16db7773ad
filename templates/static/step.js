// Solves the puzzles of the step, so that trying stolen cards costs more than giving: for each puzzle the first
// counter for which SHA-256 of "seed.puzzle.counter" begins with enough zero bits. The work is done a little at
// a time, so the page stays alive; the button may be pressed at once and goes on by itself. Until the
// work begins the page says how long to wait before pressing it: that is what a browser reads which cannot run this file.
(() => {
  const form = document.getElementById("step");
  const status = document.getElementById("step-status");
  const button = document.getElementById("submit");
  const { seed, rounds, difficulty } = form.dataset;

  // SHA-256 of a text of at most 55 ASCII letters (FIPS 180-4): its first word is all that is asked for.
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const W = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const firstWord = (text) => {
    W.fill(0, 0, 16);
    for (let i = 0; i < text.length; i++) W[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));
    W[text.length >> 2] |= 0x80 << (24 - 8 * (text.length & 3));
    W[15] = text.length * 8;
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      W[i] = W[i - 16] + W[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = H;
    for (let i = 0; i < 64; i++) {
      const s = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const t = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + s) | 0; d = c; c = b; b = a; a = (s + t) | 0;
    }
    return (a + H[0]) | 0;
  };

  const found = [];
  let counter = 0, pressed = false, sent = false;
  const work = () => {
    const until = performance.now() + 30;
    while (found.length < rounds && performance.now() < until) {
      const text = `${seed}.${found.length}.`;
      for (let n = 0; n < 200; n++, counter++) {
        if (firstWord(text + counter) >>> (32 - difficulty) === 0) {
          found.push(counter);
          counter = 0;
          break;
        }
      }
    }
    if (found.length < rounds) return setTimeout(work);
    status.textContent = status.dataset.ready;
    if (pressed) button.click();
  };
  form.addEventListener("submit", (event) => {
    if (sent || found.length < rounds) event.preventDefault();
    if (found.length < rounds) {
      pressed = true;
      status.textContent = status.dataset.going;
    } else {
      sent = true; // once: a step is good once
      form.elements.proof.value = found.join(",");
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  status.textContent = status.dataset.working;
  setTimeout(work, 100);
})();
