// Lets the page open without a network, from the first visit on: what it says then comes from its
// own store. Each version of the page has a worker, which keeps all of it or is not installed; it
// takes over when the last tab of the version before is closed, so that no tab loses its parts.
// The page itself is asked for first, so that a new version is seen at once; its parts have hashes
// in their names. What the server answers to requests (messages, files, log-ins) is never kept here.

// The build fills these in.
const VERSION = "";
const PARTS = [];

const CACHE = `tinyqq-page-${VERSION}`;
/** A server that says nothing for so long is as good as gone: better the page that is here. */
const PATIENCE_MS = 4_000;

async function keepAll() {
  const cache = await caches.open(CACHE);
  // Never a page that the browser had from before: it belongs to other parts.
  await cache.addAll([new Request("/", { cache: "no-store" }), ...PARTS]);
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function openPage(request) {
  const asked = fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([asked, late]).catch(() => undefined);
  if (answer) return answer;
  const cache = await caches.open(CACHE);
  return (await cache.match("/")) ?? asked;
}

// Of whatever version: a new page may be shown while this worker is still the one for the old.
async function openPart(request) {
  return (await caches.match(request)) ?? fetch(request);
}

// Somebody clicked a notice: to the page that is open, else a new one.
async function openConversation(conversationId) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => new URL(one.url).pathname === "/");
  if (page === undefined) return self.clients.openWindow(`/#/chats/${conversationId}`);
  page.postMessage({ is: "open", conversationId });
  return page.focus();
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/") event.respondWith(openPage(request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(openPart(request));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openConversation(String(event.notification.data?.conversationId ?? "")));
});
