/** Has the browser keep the page, so that it opens without a network. */

/** Only in secure contexts: on plain http from another machine there is nothing to do it with. */
export async function keepPage(): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  await workers?.register("/sw.js");
}
