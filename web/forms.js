// Forms: one command once, rows that can be added, files that are never lost to a double click.
const once = () => crypto.randomUUID().replaceAll("-", "");

for (const form of document.querySelectorAll("form[data-once]")) {
  form.elements.once.value ||= once();
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button:not([data-keep])")) setTimeout(() => { button.disabled = true; });
  });
}
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add]");
  if (!button) return;
  const list = document.getElementById(button.dataset.add);
  const last = list.lastElementChild;
  const next = last.cloneNode(true);
  const at = list.children.length;
  const renumber = (text) => text.replace(list.dataset.at, `${list.dataset.base}.${at}.`);
  const before = `${list.dataset.base}.${at - 1}.`;
  for (const node of next.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
    for (const name of ["name", "id", "for", "aria-describedby"]) {
      const value = node.getAttribute(name);
      if (value) node.setAttribute(name, renumber(value.replace(before, `${list.dataset.base}.${at}.`)));
    }
    if ("value" in node && node.type !== "checkbox" && node.type !== "radio") node.value = "";
    if (node.checked) node.checked = false;
  }
  list.append(next);
  next.querySelector("input, select, textarea")?.focus();
});

// A text file into the field beside it; it never leaves this device by itself.
document.addEventListener("change", async (event) => {
  const into = event.target.dataset?.into;
  if (into && event.target.files[0]) document.getElementById(into).value = await event.target.files[0].text();
});

// Files go up as they are chosen: those of an alert leave their tickets in the form, others answer with a sentence.
async function send(path, file) {
  const headers = { "content-type": "application/octet-stream", "rilon-file-name": encodeURIComponent(file.name) };
  const answer = await fetch(path, { method: "POST", headers, body: file });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error([said.detail, said.fix].filter(Boolean).join(" "));
  return said;
}

function attached(list, said) {
  const row = document.getElementById("file").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-name]").textContent = `${said.name} · ${Math.ceil(said.bytes / 1024)} kB`;
  row.querySelector("[name=attachment]").value = said.ticket;
  row.querySelector("[name=attachment_name]").value = said.name;
  list.append(row);
}

document.addEventListener("change", async (event) => {
  const input = event.target;
  const { attach, send: path } = input.dataset ?? {};
  if (!attach && !path) return;
  event.stopPropagation();
  const line = input.closest("fieldset, section").querySelector("[data-say]");
  line.hidden = true;
  for (const file of input.files) {
    try {
      const said = await send(path ?? "/attachments", file);
      if (attach) attached(document.getElementById(attach), said);
      line.textContent = said.say ?? "";
    } catch (error) {
      line.textContent = error.message || input.dataset.failed;
    }
    line.hidden = !line.textContent;
  }
  input.value = "";
  if (attach) input.form.dispatchEvent(new Event("change"));
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-drop]")?.closest("li");
  if (!row) return;
  const form = row.closest("form");
  row.remove();
  form.dispatchEvent(new Event("change"));
});

// What was just answered is where one goes on: a refusal or a success of the page before, a section that was opened.
document.querySelector("main :is([role=alert], [role=status])[tabindex]")?.focus();
document.addEventListener("htmx:after:swap", (event) => {
  const now = document.getElementById(event.detail?.ctx?.target?.id);
  (now?.querySelector(":is([role=alert], [role=status])[tabindex]") ?? (now?.hasAttribute("tabindex") ? now : null))?.focus();
});
// What is done beside what one reads changes its own part. What has none in the answer, refused or never come, goes the
// ordinary way: the form has its key, so it is done once. Of an alert that has changed meanwhile the page comes anew.
for (const name of ["htmx:before:swap", "htmx:error"]) {
  document.addEventListener(name, (event) => {
    const { sourceElement: form, response, hx } = event.detail.ctx ?? {};
    const done = response?.raw.ok;
    if (!form?.matches("form[method=post][hx-select-oob]") || hx?.reselect || (done && !changed(event.detail.tasks))) return;
    event.preventDefault();
    if (done) location.assign(response.raw.url);
    else form.submit();
  });
}
function changed(tasks = []) {
  const now = tasks.map(({ fragment }) => fragment.querySelector("#standing")).find(Boolean);
  return now && now.dataset.of !== document.getElementById("standing").dataset.of;
}
// A map wider than the screen begins where its alerts are, else its Members; anew in another width or part of the world.
let frame;
function aim() {
  const map = document.querySelector(".map .scroll");
  const shown = map && `${map.clientWidth} ${map.querySelector("svg").getAttribute("viewBox")}`;
  if (!map || shown === frame) return;
  frame = shown;
  const found = [".spot", ".dot"].map((kind) => [...map.querySelectorAll(kind)]).find((all) => all.length);
  const middles = found.map((one) => one.getBoundingClientRect()).map((box) => box.x + box.width / 2).sort((a, b) => a - b);
  map.scrollLeft += middles[middles.length >> 1] - map.getBoundingClientRect().x - map.clientWidth / 2;
}
aim();
addEventListener("resize", aim);
document.addEventListener("htmx:after:swap", aim);
// A row of links that is longer than the screen shows where one is.
for (const at of document.querySelectorAll(":is(.nav, .tabs) [aria-current]")) {
  const list = at.closest("ul");
  list.scrollLeft += at.getBoundingClientRect().left - list.getBoundingClientRect().left - (list.clientWidth - at.offsetWidth) / 2;
}
const back = document.querySelector("[data-back]");
if (back && history.length > 1) {
  back.hidden = false;
  back.addEventListener("click", () => history.back());
}
