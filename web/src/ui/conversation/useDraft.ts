/** What is being written: kept by the core, so that it is there when one comes back. */

import { ref, watch, type Ref } from "vue";

import type { ConversationId } from "../../core/api";
import { useClient } from "../../stores/client";
import { useConversations } from "../../stores/conversations";

const QUIET_MS = 400;

export interface OpenDraft {
  readonly text: Ref<string>;
  /** Save now what would be saved a little later. */
  readonly save: () => void;
  readonly clear: () => void;
}

/** Saved when the person pauses. Who leaves calls `save` first. */
export function useDraft(conversationId: ConversationId): OpenDraft {
  const client = useClient();
  let saved = useConversations().get(conversationId).draft;
  const text = ref(saved);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function save(): void {
    clearTimeout(timer);
    // Blanks are nothing to come back to.
    const words = text.value.trim() === "" ? "" : text.value;
    if (words === saved) return;
    saved = words;
    client.setDraft(conversationId, saved);
  }

  watch(text, () => {
    clearTimeout(timer);
    timer = setTimeout(save, QUIET_MS);
  });

  return {
    text,
    save,
    clear: () => {
      text.value = "";
      save();
    },
  };
}
