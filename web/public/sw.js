// Lets the page open without a network: what it says then comes from its own store. The page itself
// is asked for first, so that a new version is seen at once; its parts have hashes in their names.

const CACHE = "tinyqq-page";
const MAX_PARTS = 120;

async function keep(request, response) {
  if (!response.ok) return;
  const cache = await caches.open(CACHE);
  await cache.put(request, response);
  // Parts of former versions go, the eldest first.
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -MAX_PARTS).map((eldest) => cache.delete(eldest)));
}

async function openPage(event) {
  try {
    const response = await fetch(event.request);
    event.waitUntil(keep("/", response.clone()));
    return response;
  } catch (error) {
    const kept = await caches.match("/");
    if (kept) return kept;
    throw error;
  }
}

async function openPart(event) {
  const kept = await caches.match(event.request);
  if (kept) return kept;
  const response = await fetch(event.request);
  event.waitUntil(keep(event.request, response.clone()));
  return response;
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/") event.respondWith(openPage(event));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(openPart(event));
});
