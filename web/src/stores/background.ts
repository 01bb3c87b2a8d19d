/** What a store reads in the background: when the connection is away it is read when it is back. */

import type { ChatClient } from "../core/api";
import { asChatError } from "../core/errors";
import { pause } from "../core/pause";

/** Between two attempts while there is a connection that fails all the same. */
const RETRY_MS = 2_000;

/** Returns what starts the reading; errors end here. One reading at a time: asked for during one, it is
 * done once more after it, for what it brings may be older than the question.
 *
 * @param everyMs from the beginning of a reading to that of the next, at least. */
export function readInBackground(client: ChatClient, read: () => Promise<void>, everyMs = 0): () => void {
  let isOwed = false;
  let isReading = false;
  let isWantedAgain = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function start(): void {
    isOwed = false;
    clearTimeout(timer);
    if (isReading) isWantedAgain = true;
    else void run();
  }

  async function run(): Promise<void> {
    isReading = true;
    isWantedAgain = false;
    const next = everyMs > 0 ? pause(everyMs) : undefined;
    try {
      await read();
    } catch (error) {
      if (asChatError(error).isForNow) tryLater();
    }
    await next;
    isReading = false;
    if (isWantedAgain) start();
  }

  function tryLater(): void {
    if (client.connection.state === "online") timer = setTimeout(start, RETRY_MS);
    else isOwed = true;
  }

  client.on("connection", ({ state }) => {
    if (isOwed && state === "online") start();
  });
  return start;
}
