// Lets the page open without a network: what it says then comes from its own store. The page itself
// is asked for first, so that a new version is seen at once; its parts have hashes in their names.
// What the server answers to requests (messages, files, log-ins) is never kept here.

const CACHE = "tinyqq-page";
const MAX_PARTS = 120;

function isPart(url) {
  return url.origin === self.location.origin && url.pathname.startsWith("/assets/");
}

async function keep(request, response) {
  if (!response.ok || response.redirected) return;
  const cache = await caches.open(CACHE);
  await cache.put(request, response);
  // Parts of former versions go, the eldest first; the page itself stays.
  const kept = (await cache.keys()).filter((one) => isPart(new URL(one.url)));
  await Promise.all(kept.slice(0, -MAX_PARTS).map((eldest) => cache.delete(eldest)));
}

// What a first visit has loaded before this worker was there.
async function keepAll(paths) {
  for (const path of paths) {
    const url = new URL(path, self.location.origin);
    if ((url.pathname !== "/" && !isPart(url)) || (await caches.match(url.pathname))) continue;
    const response = await fetch(url.pathname).catch(() => undefined);
    if (response) await keep(url.pathname, response);
  }
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

// Somebody clicked a notice: to the page that is open, else a new one.
async function openConversation(conversationId) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => new URL(one.url).pathname === "/");
  if (page === undefined) return self.clients.openWindow(`/#/chats/${conversationId}`);
  page.postMessage({ is: "open", conversationId });
  return page.focus();
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/") event.respondWith(openPage(event));
  else if (isPart(url)) event.respondWith(openPart(event));
});
self.addEventListener("message", (event) => {
  if (event.data?.is === "keep") event.waitUntil(keepAll(event.data.paths));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openConversation(String(event.notification.data?.conversationId ?? "")));
});
