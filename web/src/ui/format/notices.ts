/** What the lines of the log that nobody wrote say: a key of the locales and its words. */

import { Kind, type Notice, type UserId } from "../../core/api";

export interface NoticeText {
  readonly key: string;
  readonly params: Readonly<Record<string, string>>;
}

const KEYS: ReadonlyMap<number, string> = new Map([
  [Kind.GROUP_CREATED, "groupCreated"],
  [Kind.MEMBER_JOINED, "memberJoined"],
  [Kind.MEMBER_LEFT, "memberLeft"],
  [Kind.MEMBER_REMOVED, "memberRemoved"],
  [Kind.ROLE_CHANGED, "madeMember"],
  [Kind.OWNER_CHANGED, "ownerChanged"],
  [Kind.GROUP_CHANGED, "groupChanged"],
  [Kind.GROUP_DISMISSED, "groupDismissed"],
  [Kind.CARD_CHANGED, "cardChanged"],
  [Kind.JOIN_REQUESTED, "joinRequested"],
  [Kind.JOIN_DECLINED, "joinDeclined"],
  [Kind.MEMBER_INVITED, "memberInvited"],
  [Kind.FRIEND_REQUESTED, "friendRequested"],
  [Kind.FRIEND_ADDED, "friendAdded"],
  [Kind.REQUEST_DECLINED, "requestDeclined"],
  [Kind.FRIEND_REMOVED, "friendRemoved"],
  [Kind.BLOCKED, "blocked"],
  [Kind.UNBLOCKED, "unblocked"],
]);

/** Nothing for notices of the future, which are not shown.
 *
 * @param nameOf what to call somebody; for oneself "you" in the language's own word.
 */
export function sayNotice(
  notice: Notice,
  nameOf: (userId: UserId) => string,
  list: (names: readonly string[]) => string,
): NoticeText | undefined {
  const key = KEYS.get(notice.kind);
  if (key === undefined) return undefined;
  const { userIds, name, note, role } = notice.notice;
  const isAdmin = notice.kind === Kind.ROLE_CHANGED && role === "admin";
  const params = {
    who: nameOf(notice.senderId),
    whom: list(userIds.map(nameOf)),
    name: name || "",
    note,
  };
  return { key: `notice.${isAdmin ? "madeAdmin" : key}`, params };
}
