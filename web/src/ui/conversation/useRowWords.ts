/** What the rows of a conversation show beside its messages: looked up once for all of them, since
 * rows come and go by the screen while somebody scrolls. */

import { computed, type ComputedRef } from "vue";
import { useI18n } from "vue-i18n";

import type { Content, Message, MessageState, UserId } from "../../core/api";
import { useErrorText } from "../../stores/attempt";
import { useGroups } from "../../stores/groups";
import { usePeople } from "../../stores/people";
import { useSession } from "../../stores/session";
import { useNames } from "../format/names";
import { cutText, type Segment } from "../format/segments";
import { useTime } from "../format/useTime";
import type { ConversationIdentity } from "./rows";

/** Somebody who wrote here. */
export interface Speaker {
  readonly name: string;
  /** In words; empty: a member like others, or no group. */
  readonly role: string;
  /** Of the link to their card. */
  readonly open: string;
}

export interface RowWords {
  readonly speaker: (userId: UserId) => Speaker;
  /** Who wrote it, and when: what a screen reader says of the whole row. */
  readonly label: (message: Message) => string;
  readonly state: (state: MessageState) => string;
  /** The message's text in pieces. */
  readonly pieces: (content: Content) => readonly Segment[];
  readonly isForMe: (content: Content) => boolean;
  /** Of the button that opens the menu. */
  readonly actions: (isFailed: boolean) => string;
  readonly unreadLine: () => string;
  readonly day: (ms: number) => string;
  readonly clock: (ms: number) => string;
  readonly full: (ms: number) => string;
  readonly error: (error: unknown) => string;
}

export function useRowWords(conversation: ConversationIdentity): RowWords {
  const { t } = useI18n();
  const groups = useGroups();
  const people = usePeople();
  const session = useSession();
  const names = useNames();
  const time = useTime();
  const say = useErrorText();
  const { groupId } = conversation;
  const speakers = new Map<UserId, ComputedRef<Speaker>>();
  const fixed = computed(() => ({
    by: t("message.by", { who: "{who}", when: "{when}" }),
    actions: t("message.more"),
    failed: t("message.failedOptions"),
    unreadLine: t("history.unreadLine"),
    states: {
      sending: t("message.sending"),
      sent: t("message.sent"),
      delivered: t("message.delivered"),
      read: t("message.read"),
      failed: t("message.failed"),
    },
  }));

  function lookUp(userId: UserId): Speaker {
    const role = groupId === "" ? "none" : (groups.member(groupId, userId)?.role ?? "none");
    const name = names.name(groupId, userId);
    return {
      name,
      open: t("person.open", { name }),
      role: role === "owner" || role === "admin" ? t(`role.${role}`) : "",
    };
  }

  function speaker(userId: UserId): Speaker {
    let known = speakers.get(userId);
    if (known === undefined) {
      known = computed(() => lookUp(userId));
      speakers.set(userId, known);
    }
    return known.value;
  }

  /** All names that may stand for those whom it mentions. */
  function mentioned({ mentions, mentionsAll }: Content): string[] {
    const all = mentions.flatMap((id) => {
      const member = groups.member(groupId, id);
      return [groups.nameIn(groupId, id), member?.card ?? "", member?.nickname ?? "", people.nameOf(id)];
    });
    // Everyone's word in both languages: the sender may use the other one.
    return mentionsAll ? [...all, t("mention.all"), "所有人", "everyone"] : all;
  }

  /** Filled in here: the translator takes longer than the whole rest of a row's words. */
  function label(message: Message): string {
    const { name } = speaker(message.senderId);
    return fixed.value.by.replace("{when}", time.full(message.sentAtMs)).replace("{who}", () => name);
  }

  return {
    speaker,
    label,
    state: (state) => fixed.value.states[state],
    pieces: (content) => cutText(content.text, mentioned(content)),
    isForMe: (content) => content.mentionsAll || content.mentions.includes(session.me),
    actions: (isFailed) => (isFailed ? fixed.value.failed : fixed.value.actions),
    unreadLine: () => fixed.value.unreadLine,
    day: time.day,
    clock: time.clock,
    full: time.full,
    error: say,
  };
}
