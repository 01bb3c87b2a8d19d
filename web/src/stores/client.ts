/** The core's client, given to the app once; stores and components ask for it here. */

import { inject, type InjectionKey } from "vue";

import type { ChatClient } from "../core/api";

export const clientKey: InjectionKey<ChatClient> = Symbol("client");

/** @throws Error outside the app: a mistake of ours. */
export function useClient(): ChatClient {
  const client = inject(clientKey);
  if (client === undefined) throw new Error("the app was given no client");
  return client;
}
