/** Keeps the picture of the cluster coming, whatever breaks. */

import { Backoff } from "../core/backoff";
import { ErrorClass, asChatError, type ChatError } from "../core/errors";
import { pause } from "../core/pause";
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
      if (error.errorClass === ErrorClass.UNAUTHENTICATED || error.errorClass === ErrorClass.FORBIDDEN) {
        events.onShut(error);
        return;
      }
      events.onBroken(error);
    }
    await pause(backoff.nextMs(), signal);
  }
}
