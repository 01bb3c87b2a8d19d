/** The conversation list, and who is typing. */

import { defineStore } from "pinia";
import { computed, ref, shallowReactive, shallowRef, triggerRef, watch } from "vue";

import { emptyConversation, type Conversation, type ConversationId, type UserId } from "../core/api";
import { readInBackground } from "./background";
import { useClient } from "./client";
import { useSession } from "./session";

const TYPING_SHOWN_MS = 5_000;

/** Pinned ones first, then by activity. */
export function sortConversations(all: Iterable<Conversation>): Conversation[] {
  return [...all].sort(
    (one, other) =>
      Number(other.isPinned) - Number(one.isPinned) || other.lastActiveAtMs - one.lastActiveAtMs,
  );
}

export const useConversations = defineStore("conversations", () => {
  const client = useClient();
  const session = useSession();
  /** Not reactive by key: a thousand that come at once are one change. */
  const byId = shallowRef(new Map<ConversationId, Conversation>());
  const typing = shallowReactive(new Map<ConversationId, UserId>());
  const isLoaded = ref(false);
  const typingEnds = new Map<ConversationId, ReturnType<typeof setTimeout>>();

  const sorted = computed(() =>
    sortConversations(byId.value.values()).filter(
      (one) => one.lastActiveAtMs > 0 || one.draft !== "" || one.isPinned,
    ),
  );
  /** Of those that are not muted. */
  const unread = computed(() => {
    let sum = 0;
    for (const one of byId.value.values()) sum += one.isMuted ? 0 : one.unread;
    return sum;
  });

  function put(changed: readonly Conversation[]): void {
    for (const one of changed) byId.value.set(one.conversationId, one);
    triggerRef(byId);
  }

  client.on("conversations", put);
  client.on("conversationRemoved", (id) => {
    byId.value.delete(id);
    triggerRef(byId);
  });
  client.on("typing", ({ conversationId, userId }) => {
    typing.set(conversationId, userId);
    clearTimeout(typingEnds.get(conversationId));
    typingEnds.set(
      conversationId,
      setTimeout(() => typing.delete(conversationId), TYPING_SHOWN_MS),
    );
  });
  client.on("entries", ({ conversationId, isFresh }) => {
    if (isFresh) typing.delete(conversationId);
  });

  async function load(): Promise<void> {
    const { me } = session;
    const all = await client.conversations();
    if (me !== session.me) return;
    put(all);
    isLoaded.value = true;
  }

  const loadSoon = readInBackground(client, load);
  watch(
    () => session.me,
    (me) => {
      byId.value = new Map();
      typing.clear();
      isLoaded.value = false;
      if (me) loadSoon();
    },
    { immediate: true },
  );

  function get(id: ConversationId): Conversation {
    return byId.value.get(id) ?? emptyConversation(id, session.me);
  }

  return { typing, sorted, unread, isLoaded, get };
});
