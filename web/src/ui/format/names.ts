/** What to call people in a place, and what to say of the last entry of a conversation. */

import { useI18n } from "vue-i18n";

import { Kind, type Conversation, type Entry, type GroupId, type UserId } from "../../core/api";
import { useGroups } from "../../stores/groups";
import { useSession } from "../../stores/session";
import { sayNotice } from "./notices";

export interface Namer {
  readonly title: (conversation: Conversation) => string;
  readonly name: (groupId: GroupId, userId: UserId) => string;
  /** The line of a notice; empty for those that are not shown. */
  readonly notice: (groupId: GroupId, entry: Entry) => string;
  /** One line that stands for an entry. */
  readonly excerpt: (conversation: Pick<Conversation, "type" | "groupId">, entry: Entry) => string;
}

export function useNames(): Namer {
  const { t, locale } = useI18n();
  const groups = useGroups();
  const session = useSession();

  function name(groupId: GroupId, userId: UserId): string {
    return groups.nameIn(groupId, userId);
  }

  function list(names: readonly string[]): string {
    return new Intl.ListFormat(locale.value, { type: "conjunction" }).format(names);
  }

  function notice(groupId: GroupId, entry: Entry): string {
    if (entry.is === "message") return recalled(groupId, entry.senderId);
    const said = sayNotice(
      entry,
      (userId) => (userId === session.me ? t("notice.you") : name(entry.notice.groupId || groupId, userId)),
      list,
    );
    if (said === undefined) return "";
    const text = t(said.key, said.params);
    // "you" begins a sentence here; names stay as their owners write them.
    return text.startsWith(t("notice.you")) ? text.charAt(0).toLocaleUpperCase() + text.slice(1) : text;
  }

  function recalled(groupId: GroupId, senderId: UserId): string {
    const isOwn = senderId === session.me;
    return isOwn ? t("notice.recalledOwn") : t("notice.recalled", { who: name(groupId, senderId) });
  }

  function words(entry: Entry): string {
    if (entry.is === "notice") return "";
    const { content, kind } = entry;
    if (kind === Kind.IMAGE) return t("kind.image");
    if (kind === Kind.VOICE) return t("kind.voice");
    if (kind === Kind.FILE) return t("kind.file", { name: content.media?.name ?? content.text });
    if (kind === Kind.CARD) return t("kind.card", { name: content.card?.title ?? content.text });
    return content.text.replaceAll(/\s+/g, " ");
  }

  function excerpt(conversation: Pick<Conversation, "type" | "groupId">, entry: Entry): string {
    if (entry.is === "notice" || entry.kind === Kind.RECALLED) return notice(conversation.groupId, entry);
    if (conversation.type !== "group" || entry.isOwn) return words(entry);
    return t("list.saidBy", { who: name(conversation.groupId, entry.senderId), text: words(entry) });
  }

  return {
    title: (conversation) => groups.titleOf(conversation, t("list.self")),
    name,
    notice,
    excerpt,
  };
}
