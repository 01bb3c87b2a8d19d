/** Whether the server has another version of this page than the one that runs. */

/** The script by which a page starts; its name holds a hash of what is in it. */
export function startOf(html: string): string | undefined {
  return /<script[^>]*\btype="module"[^>]*>/.exec(html)?.[0].match(/\bsrc="([^"]+)"/)?.[1];
}

/** @throws TypeError there is no network. */
export async function isOutdated(running: string, fetcher: typeof fetch = fetch): Promise<boolean> {
  const answer = await fetcher("/", { cache: "no-store", credentials: "omit" });
  const start = answer.ok ? startOf(await answer.text()) : undefined;
  return start !== undefined && start !== running;
}
