// Instants are said in UTC; whose clock differs reads their own time beside it.
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function local(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!time.textContent.endsWith("UTC") || Number.isNaN(at.valueOf()) || !at.getTimezoneOffset()) continue;
    time.textContent += ` · ${clock.format(at)}`;
  }
}

local(document);
document.addEventListener("htmx:after:swap", () => local(document));
