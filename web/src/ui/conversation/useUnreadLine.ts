/** Where the line "new messages" is: it stays while the conversation is open, for orientation. */

import { onScopeDispose, ref, type Ref } from "vue";

import type { ConversationId } from "../../core/api";
import { useClient } from "../../stores/client";
import { useConversations } from "../../stores/conversations";

export interface UnreadLine {
  /** Up to here was read; undefined: no line. */
  readonly readSeq: Ref<number | undefined>;
  readonly clear: () => void;
}

export function useUnreadLine(conversationId: ConversationId): UnreadLine {
  const client = useClient();
  const conversations = useConversations();
  const { readSeq: read, unread } = conversations.get(conversationId);
  const readSeq = ref(unread > 0 ? read : undefined);

  // What comes while one looks elsewhere starts a new line, unless there is one already unread.
  const end = client.on("entries", (event) => {
    if (event.conversationId !== conversationId || !event.isFresh || document.hasFocus()) return;
    const first = event.entries.find((one) => !one.isOwn && one.seq > 0);
    const now = conversations.get(conversationId);
    if (first !== undefined && now.unread <= event.entries.length) readSeq.value = first.seq - 1;
  });
  onScopeDispose(end);

  return {
    readSeq,
    clear: () => {
      readSeq.value = undefined;
    },
  };
}
