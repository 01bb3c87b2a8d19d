/** Contacts and profiles: what to call somebody, and whether they are there. */

import { defineStore } from "pinia";
import { computed, ref, shallowReactive, watch } from "vue";

import type { Contact, Profile, UserId } from "../core/api";
import { asChatError } from "../core/errors";
import { readInBackground } from "./background";
import { useClient } from "./client";
import { useSession } from "./session";

/** What somebody is called and looks like. */
export interface Face {
  readonly userId: UserId;
  readonly nickname: string;
  /** The blob of the picture; empty: none. */
  readonly avatar: string;
}

export const usePeople = defineStore("people", () => {
  const client = useClient();
  const session = useSession();
  const contacts = shallowReactive(new Map<UserId, Contact>());
  const profiles = shallowReactive(new Map<UserId, Profile>());
  /** From whatever told it last: contacts, members, profiles, a push. */
  const faces = shallowReactive(new Map<UserId, Face>());
  const isLoaded = ref(false);
  const asked = new Set<UserId>();
  /** Since the contacts were asked for: newer than the answer. */
  const toldMeanwhile = new Map<UserId, Pick<Contact, "online" | "lastSeenAtMs">>();

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
    toldMeanwhile.clear();
    // What became of the user's own profile meanwhile nobody tells later. At first whoever shows it asks.
    const own = faces.has(session.me) ? loadProfile(session.me) : undefined;
    const [all] = await Promise.all([client.contacts(), own]);
    contacts.clear();
    for (const one of all) contacts.set(one.userId, { ...one, ...toldMeanwhile.get(one.userId) });
    learn(all);
    isLoaded.value = true;
  }

  const loadSoon = readInBackground(client, load);
  client.on("contactsChanged", loadSoon);
  client.on("connection", (connection) => {
    // A new connection: who came or went before it was up nobody has told.
    if (connection.state === "online" && connection.isSyncing && isLoaded.value) loadSoon();
  });
  client.on("presence", ({ userId, online, lastSeenAtMs }) => {
    toldMeanwhile.set(userId, { online, lastSeenAtMs });
    const known = contacts.get(userId);
    if (known !== undefined) contacts.set(userId, { ...known, online, lastSeenAtMs });
  });

  client.on("profileChanged", (face) => {
    const { userId, nickname, avatar } = face;
    learn([face]);
    const profile = profiles.get(userId);
    if (profile !== undefined) profiles.set(userId, { ...profile, nickname, avatar });
    const contact = contacts.get(userId);
    if (contact !== undefined) contacts.set(userId, { ...contact, nickname, avatar });
  });

  watch(
    () => session.me,
    (me) => {
      contacts.clear();
      profiles.clear();
      faces.clear();
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
    loadProfile(userId).catch(
      // Deleted accounts have none: the number stands for them.
      (error: unknown) => {
        if (asChatError(error).isForNow) asked.delete(userId);
      },
    );
  }

  async function loadProfile(userId: UserId): Promise<Profile> {
    const profile = await client.profile(userId);
    remember(profile);
    return profile;
  }

  function remember(profile: Profile): void {
    profiles.set(profile.userId, profile);
    learn([profile]);
  }

  function learn(told: readonly Face[]): void {
    for (const { userId, nickname, avatar } of told) {
      const known = faces.get(userId);
      if (known?.nickname === nickname && known.avatar === avatar) continue;
      faces.set(userId, { userId, nickname, avatar });
    }
  }

  /** Undefined while it is on its way. */
  function faceOf(userId: UserId): Face | undefined {
    const face = faces.get(userId);
    if (face === undefined) want(userId);
    return face;
  }

  /** The remark, else the nickname, else (until it is known) the number. */
  function nameOf(userId: UserId): string {
    if (userId === session.me && session.account !== null) return session.account.nickname;
    return contacts.get(userId)?.remark || faceOf(userId)?.nickname || userId;
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
    learn,
    faceOf,
    loadProfile,
    remember,
  };
});
