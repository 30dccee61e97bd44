// Drafts and outbox: written here, sealed at once, sent once when there is a network. Each item has one honest state.
import { seal, toText } from "./seal.js";
import { drop, item, items, keep, mark, tell, told, watch, wipe } from "./store.js";
import { script } from "./trusted.js";

const DAY = 86400;
const here = document.querySelector("[data-officer]"); // signed in, and may post
const now = () => Math.floor(Date.now() / 1000);
const reasons = new Map(); // why the node refused what: told on this page, and never stored
const able = () => Boolean(globalThis.indexedDB && crypto.subtle && navigator.locks);

async function fetchKey() {
  const answer = await fetch("/outbox/key");
  if (answer.ok) {
    const said = await answer.json();
    await tell({ ...said, asked: now(), until: now() + said.lasts });
  }
  else if (answer.headers.has("clear-site-data")) await wipe();
  return told();
}

// The key to seal to: as fresh as can be, and of whoever is signed in.
async function key() {
  const known = await told();
  const fresh = known && (!here || known.officer === here.dataset.officer);
  if (here && (!fresh || now() - known.asked > DAY / 2)) return fetchKey().catch(() => (fresh ? known : undefined));
  return fresh && known.until > now() ? known : undefined;
}

async function put(form, state) {
  const to = await key();
  if (!to) return undefined;
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("once");
  const write = async (id, as, rev) =>
    keep({ id, state: as, officer: to.officer, at: now(), until: to.until, sealed: await seal(to, id, fields.toString()) }, rev);
  let kept = await write(form.elements.once.value, state, form.rev);
  if (kept.taken) { // another window wrote on, or sent it: both stay, and a person decides
    kept = { ...(await write(fresh(), "draft")), both: true };
    form.elements.once.value = kept.id;
    say(form, "both");
  }
  else if (state === "draft") say(form, "saved");
  form.rev = kept.rev;
  return kept;
}
const fresh = () => crypto.randomUUID().replaceAll("-", "");

function say(form, which) {
  const line = form.querySelector("[data-kept]");
  if (!line) return;
  const words = line.dataset[which] ?? "";
  if (line.textContent !== words) line.textContent = words; // said once, not at every key
  line.hidden = !words;
}

// One item: what became of it. What is neither an answer nor a refusal of it leaves it waiting.
async function send(one) {
  const headers = { "content-type": "application/cbor" };
  const answer = await fetch("/outbox", { method: "POST", headers, body: one.sealed }).catch(() => undefined);
  if (!answer) return { state: "waiting" };
  if (answer.ok) {
    const { go } = await answer.json();
    await mark(one.id, one.rev, { state: "sent", sealed: null, go });
    return { state: "sent", go };
  }
  if (answer.headers.has("clear-site-data")) { await wipe(); return { state: "gone" }; }
  if (answer.status === 401) return { state: "signed-out" };
  if (answer.status === 429 || answer.status >= 500) return { state: "waiting" };
  const said = await answer.json().catch(() => ({}));
  reasons.set(one.id, [said.detail, said.fix].filter(Boolean).join(" "));
  await mark(one.id, one.rev, { state: "refused" });
  return { state: "refused" };
}

// All that waits, oldest first; one window at a time. What was sent twice all the same is done once: see the key.
async function flush() {
  if (!navigator.onLine) return;
  const mine = (await told())?.officer;
  await navigator.locks.request("rilon-outbox", async () => {
    for (const one of (await items()).reverse()) {
      if (one.until <= now() || (one.state === "sent" && one.at < now() - DAY)) await drop(one.id);
      else if (one.state === "waiting" && one.officer === mine) {
        const { state } = await send(one);
        if (state === "waiting" || state === "signed-out" || state === "gone") break;
      }
    }
  });
}

function follow(form) {
  let last = Promise.resolve(), timer, over = false;
  const save = (state) => { last = last.catch(() => undefined).then(() => put(form, state)); return last; };
  last = item(form.elements.once.value).then((known) => { form.rev = known?.rev; });
  const soon = () => { clearTimeout(timer); timer = setTimeout(() => over || save("draft"), 500); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  document.addEventListener("visibilitychange", () => { if (document.hidden && timer && !over) { clearTimeout(timer); save("draft"); } });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    over = true;
    clearTimeout(timer);
    post(form, save).then((done) => { over = done; });
  });
}

// Posts what the form holds; true when the form is done with.
async function post(form, save) {
  const kept = await save("waiting").catch(() => undefined);
  if (!kept) { // no key, or no room: the plain form, which needs a network
    if (here) form.submit();
    else say(form, "nokey");
    return true;
  }
  if (kept.both) { wake(form); return false; }
  const one = await item(kept.id);
  const { state, go } = await navigator.locks.request("rilon-outbox", async () => (one.state === "waiting" ? send(one) : one));
  if (state === "sent") { location.assign(go); return true; }
  if (state === "refused" && here) { // the page says what is wrong, at each field
    await mark(one.id, one.rev, { state: "draft" });
    form.submit();
    return true;
  }
  say(form, state === "waiting" ? "later" : state === "refused" ? "refused" : "signin");
  wake(form);
  if (form.dataset.outbox === "shell") { form.elements.once.value = fresh(); form.rev = undefined; form.closest("[data-writing]").hidden = true; }
  return false;
}

const wake = (form) => { for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = false; }); };

const acts = {
  open: (one, row) => { const form = row.querySelector("form"); form.elements.sealed.value = toText(one.sealed); form.elements.refused.value = one.state === "refused" ? "yes" : ""; form.submit(); },
  send: async (one) => { await mark(one.id, one.rev, { state: "waiting" }); await flush(); },
  drop: (one) => drop(one.id),
};

async function draw(list) {
  // The page that works without a network offers nothing that needs one: a browser cannot be asked whether there is one.
  const mine = (await told())?.officer, { words, locale } = list.dataset;
  const said = JSON.parse(words), all = (await items()).filter((one) => one.officer === mine);
  list.querySelector("[data-none]").hidden = all.length > 0;
  list.querySelector("[data-items]").replaceChildren(...all.map((one) => {
    const row = list.querySelector("template").content.cloneNode(true).firstElementChild;
    const time = (at) => new Date(at * 1000).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
    row.dataset.state = one.state;
    row.querySelector("[data-state-words]").textContent = said[one.state];
    row.querySelector("[data-at]").textContent = time(one.at);
    row.querySelector("[data-until]").textContent = time(one.until);
    row.querySelector("[data-why]").textContent = reasons.get(one.id) || said.why;
    row.querySelector("a").href = one.go ?? "/inbox";
    for (const part of row.querySelectorAll("[data-for]"))
      part.hidden = !part.dataset.for.split(" ").includes(one.state) || ("net" in part.dataset && !(here && navigator.onLine));
    for (const button of row.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do](one, row));
    return row;
  }));
}

async function count(link) {
  const mine = (await told())?.officer;
  const waiting = (await items()).filter((one) => one.officer === mine && (one.state === "waiting" || one.state === "refused")).length;
  link.hidden = false;
  const number = link.querySelector(".count");
  number.textContent = waiting;
  number.hidden = !waiting;
}

// Signing out forgets what waits here: not before one was told.
function leave(form) {
  form.addEventListener("submit", async (event) => {
    const warning = form.querySelector("[data-waiting]");
    event.preventDefault();
    const left = (await items().catch(() => [])).filter((one) => one.state !== "sent").length;
    if (left && warning?.hidden) { warning.textContent = warning.dataset.waiting.replace("%d", left); warning.hidden = false; return; }
    await wipe().catch(() => undefined);
    form.submit();
  });
}

function shell() {
  const chooser = document.querySelector("[data-kinds]"), form = document.querySelector("form[data-outbox=shell]");
  if (!chooser) return;
  const place = form.querySelector("[data-fields]");
  chooser.addEventListener("change", async () => {
    const chosen = document.getElementById(`kind-${chooser.value}`);
    form.closest("[data-writing]").hidden = !chosen;
    if (!chosen) return;
    place.replaceChildren(chosen.content.cloneNode(true));
    form.elements.kind.value = chooser.value;
    form.elements.once.value = fresh();
    form.rev = undefined;
    say(form, "");
    const known = (await told())?.members ?? [];
    for (const box of form.querySelectorAll("[data-member]")) box.hidden = !known.includes(box.dataset.member);
  });
}

function start() {
  for (const form of document.querySelectorAll("form[data-outbox]")) follow(form);
  for (const form of document.querySelectorAll("form[data-leave]")) leave(form);
  const link = document.querySelector("[data-waits]"), list = document.querySelector("[data-outbox-list]");
  const show = () => { if (link) count(link); if (list) draw(list); };
  watch(show);
  show();
  shell();
  window.addEventListener("online", () => { show(); flush(); });
  window.addEventListener("offline", show);
  setInterval(flush, 60000);
  if (here) key().then(flush); else if (list) flush();
  if (here && navigator.serviceWorker) navigator.serviceWorker.register(script("/sw.js")).catch(() => undefined);
  if (here) navigator.storage?.persist?.();
}

if (able()) start();
