// The browser's own part: keeps the offline page and its assets, and nothing that anybody wrote or read.
const { files, version } = self.rilon;
const kept = `rilon-${version}`;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  await (await caches.open(kept)).addAll(files);
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== kept) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(files[0])));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(caches.match(request).then((found) => found ?? fetch(request)));
});
