/** Has the browser keep the page, so that it opens without a network. */

/** How long a page takes to load what everybody needs; other things may come first. */
const SETTLE_MS = 5_000;

/** Only in secure contexts: on plain http from another machine there is nothing to do it with. */
export async function keepPage(): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (workers === undefined) return;
  await workers.register("/sw.js");
  const { active } = await workers.ready;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  // On a first visit the worker has not seen how these came.
  const paths = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  active?.postMessage({ is: "keep", paths: ["/", ...paths.filter((path) => path.startsWith("/assets/"))] });
}
