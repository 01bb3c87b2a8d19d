/** Contacts and profiles: what to call somebody, and whether they are there. */

import { defineStore } from "pinia";
import { computed, ref, shallowReactive, watch } from "vue";

import type { Contact, Profile, UserId } from "../core/api";
import { asChatError } from "../core/errors";
import { readInBackground } from "./background";
import { useClient } from "./client";
import { useSession } from "./session";

export const usePeople = defineStore("people", () => {
  const client = useClient();
  const session = useSession();
  const contacts = shallowReactive(new Map<UserId, Contact>());
  const profiles = shallowReactive(new Map<UserId, Profile>());
  const isLoaded = ref(false);
  const asked = new Set<UserId>();

  const friends = computed(() =>
    [...contacts.values()]
      .filter((one) => one.isFriend && !one.isBlocked)
      .sort(
        (one, other) =>
          Number(other.online) - Number(one.online) || nameOf(one.userId).localeCompare(nameOf(other.userId)),
      ),
  );
  const requests = computed(() =>
    [...contacts.values()]
      .filter((one) => one.requestReceivedAtMs > 0 && !one.isBlocked)
      .sort((one, other) => other.requestReceivedAtMs - one.requestReceivedAtMs),
  );
  const sentRequests = computed(() =>
    [...contacts.values()].filter((one) => one.requestSentAtMs > 0 && !one.isFriend && !one.isBlocked),
  );
  const blocked = computed(() => [...contacts.values()].filter((one) => one.isBlocked));

  async function load(): Promise<void> {
    const all = await client.contacts();
    contacts.clear();
    for (const one of all) contacts.set(one.userId, one);
    isLoaded.value = true;
  }

  const loadSoon = readInBackground(client, load);
  client.on("contactsChanged", loadSoon);
  client.on("presence", ({ userId, online, lastSeenAtMs }) => {
    const known = contacts.get(userId);
    if (known !== undefined) contacts.set(userId, { ...known, online, lastSeenAtMs });
  });

  watch(
    () => session.me,
    (me) => {
      contacts.clear();
      profiles.clear();
      asked.clear();
      isLoaded.value = false;
      if (me) loadSoon();
    },
    { immediate: true },
  );

  /** Reads a profile in the background, once. */
  function want(userId: UserId): void {
    if (asked.has(userId) || userId === "" || userId === "0") return;
    asked.add(userId);
    client.profile(userId).then(
      (profile) => profiles.set(userId, profile),
      // Deleted accounts have none: the number stands for them.
      (error: unknown) => {
        if (asChatError(error).isForNow) asked.delete(userId);
      },
    );
  }

  async function loadProfile(userId: UserId): Promise<Profile> {
    const profile = await client.profile(userId);
    profiles.set(userId, profile);
    return profile;
  }

  function remember(profile: Profile): void {
    profiles.set(profile.userId, profile);
  }

  /** The remark, else the nickname, else (until it is known) the number. */
  function nameOf(userId: UserId): string {
    if (userId === session.me && session.account !== null) return session.account.nickname;
    const contact = contacts.get(userId);
    if (contact !== undefined) return contact.remark || contact.nickname || userId;
    const profile = profiles.get(userId);
    if (profile === undefined) want(userId);
    return profile?.nickname ?? userId;
  }

  return {
    contacts,
    profiles,
    isLoaded,
    friends,
    requests,
    sentRequests,
    blocked,
    nameOf,
    want,
    loadProfile,
    remember,
  };
});
