/** The pictures that people have of themselves, each fetched once. */

import { defineStore } from "pinia";
import { shallowReactive, watch } from "vue";

import type { UserId } from "../core/api";
import { asChatError } from "../core/errors";
import { useClient } from "./client";
import { usePeople } from "./people";
import { useSession } from "./session";

export const useAvatars = defineStore("avatars", () => {
  const client = useClient();
  const people = usePeople();
  const session = useSession();
  /** By blob; empty: on its way, or not to be had. */
  const urls = shallowReactive(new Map<string, string>());

  /** Those that may be had later. */
  const owed = new Set<string>();

  watch(
    () => session.me,
    () => {
      owed.clear();
      for (const url of urls.values()) URL.revokeObjectURL(url);
      urls.clear();
    },
  );

  async function load(userId: UserId, blobId: string): Promise<void> {
    urls.set(blobId, "");
    try {
      const picture = await client.fetchFile({ is: "avatar", userId, blobId });
      urls.set(blobId, URL.createObjectURL(picture));
    } catch (error) {
      // The one drawn from the number stays, perhaps until the connection is back.
      if (asChatError(error).isForNow) owed.add(blobId);
    }
  }

  client.on("connection", ({ state }) => {
    if (state !== "online") return;
    for (const blobId of owed) urls.delete(blobId);
    owed.clear();
  });

  /** Empty: there is none, or not yet. */
  function urlOf(userId: UserId): string {
    const blobId = people.faceOf(userId)?.avatar ?? "";
    if (blobId === "") return "";
    if (!urls.has(blobId)) void load(userId, blobId);
    return urls.get(blobId) ?? "";
  }

  return { urlOf };
});
