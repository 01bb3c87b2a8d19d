/** How the connection to the server is, as screens show it. */

import type { ChatError } from "../errors";

export type KickReason =
  | "unknown"
  | "replaced"
  | "revoked"
  | "passwordChanged"
  | "accountDisabled"
  | "accountDeleted"
  | "loggedOut";

export type Connection =
  /** Nobody is logged in. */
  | { readonly state: "none" }
  | { readonly state: "connecting"; readonly attempt: number }
  /** `isSyncing`: what was missed is still coming in. */
  | { readonly state: "online"; readonly unitId: string; readonly isSyncing: boolean }
  /** The next try is at `untilMs`; {@link ChatClient.reconnect} tries now. */
  | {
      readonly state: "waiting";
      readonly untilMs: number;
      readonly attempt: number;
      /** The server that this page came from is away, and only it can renew the log-in: addresses
       * of others, where one would have to log in again. */
      readonly elsewhere?: readonly string[];
    }
  /** For good: the person may log in again, the page does not by itself. */
  | { readonly state: "kicked"; readonly reason: KickReason; readonly deviceName: string }
  /** The log-in is no longer good: ask for the password. */
  | { readonly state: "ended"; readonly error: ChatError };
