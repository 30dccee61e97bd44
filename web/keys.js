// The keyboard: j and k move along rows, Enter opens, n writes, / searches, ? explains. Off while typing.
const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll(".rows .title")];

function move(step) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  all[Math.min(Math.max(at + step, 0), all.length - 1)]?.focus();
}

const acts = {
  j: () => move(1),
  k: () => move(-1),
  n: () => document.querySelector('[data-key="n"]')?.click(),
  "/": () => document.querySelector("[type=search]")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
