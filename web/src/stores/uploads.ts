/** How far files are that are on their way up. */

import { defineStore } from "pinia";
import { shallowReactive } from "vue";

import type { Message } from "../core/api";
import { useClient } from "./client";

export const useUploads = defineStore("uploads", () => {
  const client = useClient();
  const shares = shallowReactive(new Map<string, number>());

  client.on("upload", ({ key, sentBytes, sizeBytes }) => {
    if (sentBytes < sizeBytes) shares.set(key, sentBytes / sizeBytes);
    else shares.delete(key);
  });
  client.on("entryRemoved", ({ key }) => shares.delete(key));

  /** From 0 to 1; undefined: nothing of it is being uploaded. */
  function shareOf(message: Message): number | undefined {
    if (message.file === undefined || message.state !== "sending") return undefined;
    return shares.get(message.key) ?? 0;
  }

  return { shareOf };
});
