/** The pictures that people have of themselves, each fetched once. */

import { defineStore } from "pinia";
import { shallowReactive, watch } from "vue";

import type { UserId } from "../core/api";
import { useClient } from "./client";
import { usePeople } from "./people";
import { useSession } from "./session";

export const useAvatars = defineStore("avatars", () => {
  const client = useClient();
  const people = usePeople();
  const session = useSession();
  /** By blob; empty: on its way, or not to be had. */
  const urls = shallowReactive(new Map<string, string>());

  watch(
    () => session.me,
    () => {
      for (const url of urls.values()) URL.revokeObjectURL(url);
      urls.clear();
    },
  );

  async function load(userId: UserId, blobId: string): Promise<void> {
    urls.set(blobId, "");
    try {
      const picture = await client.fetchFile({ is: "avatar", userId, blobId });
      urls.set(blobId, URL.createObjectURL(picture));
    } catch {
      // The one drawn from the number stays.
    }
  }

  /** Empty: there is none, or not yet. */
  function urlOf(userId: UserId): string {
    const profile = people.profiles.get(userId);
    if (profile === undefined) people.want(userId);
    const blobId = profile?.avatar ?? "";
    if (blobId === "") return "";
    if (!urls.has(blobId)) void load(userId, blobId);
    return urls.get(blobId) ?? "";
  }

  return { urlOf };
});
