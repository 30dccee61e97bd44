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
