/** Tells the core how far was read: what was in view while the person looked at the page. */

import { onScopeDispose } from "vue";

import type { ConversationId } from "../../core/api";
import { useClient } from "../../stores/client";
import { useConversations } from "../../stores/conversations";

export function useReadMarks(conversationId: ConversationId): { readonly see: (seq: number) => void } {
  const client = useClient();
  const conversations = useConversations();
  let seen = 0;

  function tell(): void {
    if (!document.hasFocus() || document.visibilityState !== "visible") return;
    if (seen > conversations.get(conversationId).readSeq) client.markRead(conversationId, seen);
  }

  function see(seq: number): void {
    seen = Math.max(seen, seq);
    tell();
  }

  addEventListener("focus", tell);
  document.addEventListener("visibilitychange", tell);
  onScopeDispose(() => {
    removeEventListener("focus", tell);
    document.removeEventListener("visibilitychange", tell);
  });
  return { see };
}
