// Live notices: a quiet bar says how many came. Nothing moves by itself; the reader asks for it.
const bar = document.querySelector("[data-live]");

function open() {
  const source = new EventSource(bar.dataset.live);
  const items = new Set();
  source.addEventListener("notice", (event) => {
    const notice = JSON.parse(event.data);
    items.add(notice.item ?? notice.position);
    const count = items.size;
    const words = count === 1 ? bar.dataset.one : bar.dataset.many.replace("%d", count);
    bar.querySelector("a").textContent = words;
    bar.hidden = false;
    if (notice.urgency === "life_at_risk" || notice.urgency === "immediate") bar.dataset.urgent = "yes";
    document.title = `(${count}) ${document.title.replace(/^\(\d+\) /, "")}`;
    document.dispatchEvent(new CustomEvent("rilon:notice", { detail: notice }));
  });
  window.addEventListener("pagehide", () => source.close());
}

if (bar) open();
