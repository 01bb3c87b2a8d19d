/** Word of messages that arrive while nobody looks: the title's count, and the system's notices. */

import { onScopeDispose, watch } from "vue";

import { Kind, type EntriesEvent, type Notice } from "../../core/api";
import { useClient } from "../../stores/client";
import { useConversations } from "../../stores/conversations";
import { usePeople } from "../../stores/people";
import { usePlace } from "../../stores/place";
import { usePreferences } from "../../stores/preferences";
import { useToasts } from "../../stores/toasts";
import { useNames } from "../format/names";

/** What concerns the user and is found among contacts and groups, or nowhere. */
const TOLD: ReadonlySet<number> = new Set([Kind.FRIEND_REQUESTED, Kind.MEMBER_INVITED, Kind.JOIN_DECLINED]);

/** Whether the browser can show notices, and the person has allowed it. */
export function mayNotify(): boolean {
  return "Notification" in globalThis && Notification.permission === "granted";
}

/** Only on a click: browsers ignore the question otherwise. */
export async function askToNotify(): Promise<boolean> {
  if (!("Notification" in globalThis)) return false;
  return (await Notification.requestPermission()) === "granted";
}

/** With the count of unread messages, for the browser's tab. */
function pageTitle(unread: number): string {
  return unread === 0 ? "TinyQQ" : `(${unread > 99 ? "99+" : unread}) TinyQQ`;
}

export function useNotifications(): void {
  const client = useClient();
  const conversations = useConversations();
  const place = usePlace();
  const people = usePeople();
  const preferences = usePreferences();
  const names = useNames();
  // Missing on plain http from another machine, whatever the types say.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  const toasts = useToasts();

  function announce({ conversationId, entries, isFresh }: EntriesEvent): void {
    const isSeen = document.hasFocus() && place.conversationId === conversationId;
    if (!isFresh || isSeen || !preferences.notifies || !mayNotify()) return;
    const conversation = conversations.get(conversationId);
    const last = entries.findLast((one) => one.is === "message" && !one.isOwn);
    if (last === undefined || (conversation.isMuted && !conversation.isMentioned)) return;
    void show(names.title(conversation), {
      body: names.excerpt(conversation, last),
      // The newest of a conversation replaces the one before.
      tag: conversationId,
      icon: "/icon-192.png",
      data: { conversationId },
    });
  }

  /** By the service worker where there is one: phones know no other way. */
  async function show(title: string, options: NotificationOptions & { tag: string }): Promise<void> {
    const worker = await workers?.getRegistration().catch(() => undefined);
    if (worker?.active) return worker.showNotification(title, options);
    const notification = new Notification(title, options);
    notification.onclick = () => {
      window.focus();
      place.go("chats", options.tag);
      notification.close();
    };
  }

  /** What no count of unread messages tells of. */
  async function tell(notice: Notice): Promise<void> {
    if (!TOLD.has(notice.kind)) return;
    // Often a stranger; without a name the number is shown.
    if (!people.contacts.has(notice.senderId)) {
      await people.loadProfile(notice.senderId).catch(() => undefined);
    }
    toasts.show(names.notice("", notice));
  }

  /** A notice was clicked that the service worker had shown. */
  function onWorker({ data }: MessageEvent<{ readonly is?: string; readonly conversationId?: string }>): void {
    if (data.is === "open" && data.conversationId) place.go("chats", data.conversationId);
  }

  workers?.addEventListener("message", onWorker);
  onScopeDispose(() => workers?.removeEventListener("message", onWorker));
  onScopeDispose(client.on("entries", announce));
  onScopeDispose(client.on("told", (notice) => void tell(notice)));
  onScopeDispose(() => {
    document.title = pageTitle(0);
  });
  watch(
    () => conversations.unread,
    (unread) => {
      document.title = pageTitle(unread);
    },
    { immediate: true },
  );
}
