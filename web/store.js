// What the browser keeps, in IndexedDB: sealed items and the node's public key. Nothing in it can be read here.
let opened;
const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

function open() {
  opened ??= new Promise((done, failed) => {
    const request = indexedDB.open("rilon", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("items", { keyPath: "id" });
      request.result.createObjectStore("told");
    };
    request.onsuccess = () => {
      const forget = () => { opened = undefined; };
      request.result.onclose = forget; // the server had the browser clear its storage
      request.result.onversionchange = () => { request.result.close(); forget(); };
      done(request.result);
    };
    request.onerror = () => { opened = undefined; failed(request.error); };
  });
  return opened;
}
const within = async (store, mode) => (await open()).transaction(store, mode).objectStore(store);

export const told = async () => asked((await within("told", "readonly")).get("key"));
export const tell = async (key) => asked((await within("told", "readwrite")).put(key, "key"));
export const items = async () => (await asked((await within("items", "readonly")).getAll())).sort((a, b) => b.at - a.at);
export const item = async (id) => asked((await within("items", "readonly")).get(id));
export const drop = async (id) => { await asked((await within("items", "readwrite")).delete(id)); changed(); };

// Writes an item if nobody else has since its revision `rev`; else leaves that one as it is.
export async function keep(next, rev) {
  const store = await within("items", "readwrite");
  const there = await asked(store.get(next.id));
  const taken = there && there.rev !== rev;
  if (!taken) await asked(store.put({ ...next, rev: (rev ?? 0) + 1 }));
  changed();
  return { id: next.id, rev: (rev ?? 0) + 1, taken };
}

// Changes what is said of an item, unless it was written on or deleted meanwhile.
export async function mark(id, rev, changes) {
  const store = await within("items", "readwrite");
  const there = await asked(store.get(id));
  if (there?.rev === rev) await asked(store.put({ ...there, ...changes }));
  changed();
}

export async function wipe() {
  const held = await opened?.catch(() => undefined);
  held?.close();
  opened = undefined;
  await new Promise((done) => { const gone = indexedDB.deleteDatabase("rilon"); gone.onsuccess = gone.onerror = gone.onblocked = done; });
  for (const name of await caches.keys()) await caches.delete(name);
  for (const worker of await navigator.serviceWorker?.getRegistrations() ?? []) await worker.unregister();
}

const bus = "BroadcastChannel" in window ? new BroadcastChannel("rilon") : undefined;
const listeners = [];
export function changed() { bus?.postMessage(0); for (const tell of listeners) tell(); }
export function watch(listener) { listeners.push(listener); if (bus) bus.onmessage = () => { for (const tell of listeners) tell(); }; }
