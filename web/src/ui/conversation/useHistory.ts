/** The history of one conversation for as long as it is open: pages both ways, and what happens. */

import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref } from "vue";

import type { ConversationId, Entry, HistoryPlace } from "../../core/api";
import { useErrorText } from "../../stores/attempt";
import { useClient } from "../../stores/client";
import { addNewer, addOlder, applyEntries, EMPTY, removeEntry } from "./stretch";

const PAGE = 60;

export interface History {
  readonly entries: ComputedRef<readonly Entry[]>;
  readonly hasOlder: ComputedRef<boolean>;
  readonly hasNewer: ComputedRef<boolean>;
  readonly isLoading: Ref<boolean>;
  readonly error: Ref<string>;
  /** Whether the last change was something that happened, not a page that was read. */
  readonly isLive: Ref<boolean>;
  /** Hold another stretch instead. */
  readonly open: (place: HistoryPlace) => Promise<void>;
  readonly older: () => Promise<void>;
  readonly newer: () => Promise<void>;
}

export function useHistory(conversationId: ConversationId): History {
  const client = useClient();
  const say = useErrorText();
  const stretch = shallowRef(EMPTY);
  const isLoading = ref(false);
  const error = ref("");
  const isLive = ref(false);
  let place: HistoryPlace = { at: "end" };
  /** What happened while a page was being read. */
  let missed: Entry[] = [];
  let turn = 0;

  async function read(wanted: HistoryPlace): Promise<void> {
    const mine = ++turn;
    missed = [];
    isLoading.value = true;
    error.value = "";
    try {
      const page = await client.history(conversationId, wanted, PAGE);
      if (mine !== turn) return;
      isLive.value = false;
      if (wanted.at === "before") stretch.value = addOlder(stretch.value, page);
      else if (wanted.at === "after") stretch.value = addNewer(stretch.value, page);
      else stretch.value = page;
      stretch.value = applyEntries(stretch.value, missed);
    } catch (caught) {
      if (mine === turn) error.value = say(caught);
    } finally {
      if (mine === turn) isLoading.value = false;
    }
  }

  async function open(wanted: HistoryPlace): Promise<void> {
    place = wanted;
    await read(wanted);
  }

  async function older(): Promise<void> {
    const first = stretch.value.entries.find((one) => one.seq > 0);
    if (isLoading.value || !stretch.value.hasOlder || first === undefined) return;
    await read({ at: "before", seq: first.seq });
  }

  async function newer(): Promise<void> {
    const last = stretch.value.entries.findLast((one) => one.seq > 0);
    if (isLoading.value || !stretch.value.hasNewer || last === undefined) return;
    await read({ at: "after", seq: last.seq });
  }

  const ends = [
    client.on("entries", (event) => {
      if (event.conversationId !== conversationId) return;
      if (isLoading.value) missed.push(...event.entries);
      const next = applyEntries(stretch.value, event.entries);
      if (next === stretch.value) return;
      isLive.value = true;
      stretch.value = next;
    }),
    client.on("entryRemoved", (event) => {
      if (event.conversationId !== conversationId) return;
      missed = missed.filter((one) => one.key !== event.key);
      stretch.value = removeEntry(stretch.value, event.key);
    }),
    client.on("conversationsReset", (ids) => {
      if (ids.includes(conversationId)) void open(place);
    }),
  ];
  onScopeDispose(() => {
    turn++;
    for (const end of ends) end();
  });

  return {
    entries: computed(() => stretch.value.entries),
    hasOlder: computed(() => stretch.value.hasOlder),
    hasNewer: computed(() => stretch.value.hasNewer),
    isLoading,
    error,
    isLive,
    open,
    older,
    newer,
  };
}
