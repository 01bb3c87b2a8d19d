/** Keeps the picture of the cluster coming, whatever breaks. */

import { Backoff } from "../core/backoff";
import { asChatError, type ChatError } from "../core/errors";
import type { AdminApi } from "./api";
import type { Picture } from "./picture";

export interface LiveEvents {
  onPicture(picture: Picture): void;
  /** The stream broke; it is tried again by itself. */
  onBroken(error: ChatError): void;
  /** One may not look any more; it is not tried again. */
  onShut(error: ChatError): void;
}

const MAX_WAIT_MS = 5_000;

/** Listen until *signal* says so, or the door is shut. */
export async function listen(
  api: Pick<AdminApi, "live">,
  events: LiveEvents,
  signal: AbortSignal,
  backoff = new Backoff(Math.random, 250, MAX_WAIT_MS),
): Promise<void> {
  while (!signal.aborted) {
    try {
      await api.live((picture) => {
        backoff.reset();
        events.onPicture(picture);
      }, signal);
      // Streams end now and then, to be opened with a new token.
    } catch (caught) {
      if (signal.aborted) return;
      const error = asChatError(caught);
      if (error.errorClass === 2 || error.errorClass === 3) {
        events.onShut(error);
        return;
      }
      events.onBroken(error);
    }
    await pause(backoff.nextMs(), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
