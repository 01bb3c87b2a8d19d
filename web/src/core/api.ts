/**
 * What the screens know of the core: the {@link ChatClient}, its events, and through here all records
 * and errors.
 *
 * Seqs, ordinals, counts and times are numbers, times in milliseconds since 1970. Records are never
 * changed in place: a change is a new record.
 */

import type { ConversationId, GroupId, UserId } from "./ids";
import type { Connection } from "./model/connection";
import type { Conversation, HistoryPage, HistoryPlace } from "./model/conversations";
import type { Draft, Entry, Message, Notice } from "./model/entries";
import type { FileFacts, FileLimits, FileRef, OwnFiles } from "./model/files";
import type { Group, GroupChange, Invitation, JoinPolicy, JoinRequest, Member } from "./model/groups";
import type { Account, Contact, Device, Profile, ProfileChange, Registered } from "./model/people";

export { ChatError, ErrorCode } from "./errors";
export type { ConversationId, ConversationType, GroupId, UserId } from "./ids";
export type * from "./model/connection";
export * from "./model/conversations";
export * from "./model/entries";
export type * from "./model/files";
export type * from "./model/groups";
export type * from "./model/people";

// ---- events ------------------------------------------------------------------------------------

export interface EntriesEvent {
  readonly conversationId: ConversationId;
  /** New ones, and new records for known keys (states, recalls); ascending, those not sent last. */
  readonly entries: readonly Entry[];
  /** True: they were just written by others (what notifications are for). */
  readonly isFresh: boolean;
}

/** What happens, by name. Handlers are called in order and must not throw. */
export interface ChatEvents {
  readonly connection: Connection;
  /** Logged in (or the nickname changed), logged out: null. */
  readonly account: Account | null;
  /** Lines of the list that are new or changed. */
  readonly conversations: readonly Conversation[];
  /** The user may no longer see it. */
  readonly conversationRemoved: ConversationId;
  readonly entries: EntriesEvent;
  /** Somebody just did what concerns the user: asked, invited, declined. Not an entry that is shown:
   * the log of such notices is the user's own conversation, where only the notes are. */
  readonly told: Notice;
  /** A message that was never sent was deleted. */
  readonly entryRemoved: { readonly conversationId: ConversationId; readonly key: string };
  /** How much of a message's file is on the server. */
  readonly upload: {
    readonly conversationId: ConversationId;
    readonly key: string;
    readonly sentBytes: number;
    readonly sizeBytes: number;
  };
  /** What is shown of them may have a hole: read their history again. */
  readonly conversationsReset: readonly ConversationId[];
  /** Show for about five seconds. */
  readonly typing: { readonly conversationId: ConversationId; readonly userId: UserId };
  readonly presence: {
    readonly userId: UserId;
    readonly online: boolean;
    readonly lastSeenAtMs: number;
  };
  /** A friend, or the user elsewhere, has another name or picture. */
  readonly profileChanged: {
    readonly userId: UserId;
    readonly nickname: string;
    readonly avatar: string;
  };
  /** Friends, requests or blocks changed: ask for {@link ChatClient.contacts} again. */
  readonly contactsChanged: null;
  /** The list of groups, or this group, its members or requests changed. */
  readonly groupsChanged: { readonly groupId: GroupId };
  /** Something happened at the group's door that its log does not show: who answers there, asks again. */
  readonly joinRequestsChanged: { readonly groupId: GroupId };
}

export type Unsubscribe = () => void;

// ---- the client --------------------------------------------------------------------------------

/** Everything that screens can ask for. Promises are rejected with {@link ChatError} only. */
export interface ChatClient {
  readonly account: Account | null;
  readonly connection: Connection;
  /** Whether this server takes files; without it the screens do not offer it. */
  readonly canUpload: boolean;
  on<Name extends keyof ChatEvents>(
    name: Name,
    handler: (event: ChatEvents[Name]) => void,
  ): Unsubscribe;

  // coming in
  /** Log in by what an earlier visit left; null: nobody was. Call once, first. Without a network
   * the account of the last visit is shown from the cache, and the connection waits. */
  resume(): Promise<Account | null>;
  register(nickname: string, password: string, inviteCode?: string): Promise<Registered>;
  logIn(userId: UserId, password: string): Promise<Account>;
  /** Forgets everything on this machine. Never fails. */
  logOut(): Promise<void>;
  /** Set a new password by the recovery code; returns the next code. */
  recoverPassword(userId: UserId, recoveryCode: string, newPassword: string): Promise<string>;
  /** Try to connect now instead of waiting. */
  reconnect(): void;

  // conversations
  /** The list as it is known now; changes come as events. */
  conversations(): Promise<readonly Conversation[]>;
  /** The conversation with a user (one's own number: notes to self) or group; may be empty yet. */
  conversationWith(userId: UserId): ConversationId;
  conversationOf(groupId: GroupId): ConversationId;
  history(conversationId: ConversationId, place: HistoryPlace, limit?: number): Promise<HistoryPage>;
  /** One entry, for a quote; undefined: not there or not visible. */
  entry(conversationId: ConversationId, seq: number): Promise<Entry | undefined>;
  markRead(conversationId: ConversationId, seq: number): void;
  /** Say that the user is typing; call on every key, it is thinned out here. */
  typing(conversationId: ConversationId): void;
  setDraft(conversationId: ConversationId, text: string): void;
  setPinned(conversationId: ConversationId, isPinned: boolean): void;
  setMuted(conversationId: ConversationId, isMuted: boolean): void;

  // messages
  /** Put a message into the outbox; it is shown at once and sent when that is possible, also after
   * a reload. What becomes of it comes as `entries` events. */
  send(conversationId: ConversationId, draft: Draft): Promise<Message>;
  /** Send one that failed again. */
  retry(conversationId: ConversationId, key: string): Promise<void>;
  /** Delete one that failed, or whose file is still on its way. */
  discard(conversationId: ConversationId, key: string): Promise<void>;
  recall(conversationId: ConversationId, seq: number): Promise<void>;
  /** Upload a file and send it, as a picture, a voice message or a file. It is shown at once, and
   * goes on after a cut or a reload. Only where {@link canUpload}. */
  sendFile(
    conversationId: ConversationId,
    file: Blob,
    name: string,
    facts?: FileFacts,
  ): Promise<Message>;
  fileLimits(): Promise<FileLimits>;
  /** The content of a file that the user may see. */
  fetchFile(ref: FileRef): Promise<Blob>;
  /** What the account has on the server. @param after `next` of the page before. */
  ownFiles(after?: string): Promise<OwnFiles>;
  /** Messages that refer to it show that it was removed, unless others have uploaded it too. */
  deleteFile(blobId: string): Promise<void>;

  // people
  profile(userId: UserId): Promise<Profile>;
  updateProfile(change: ProfileChange): Promise<Profile>;
  /** Upload a picture of oneself. */
  setAvatar(picture: Blob): Promise<Profile>;
  searchUsers(query: string, limit?: number): Promise<readonly Profile[]>;
  contacts(): Promise<readonly Contact[]>;
  requestFriend(userId: UserId, note: string): Promise<void>;
  answerFriend(userId: UserId, accept: boolean): Promise<void>;
  deleteFriend(userId: UserId): Promise<void>;
  setBlocked(userId: UserId, blocked: boolean): Promise<void>;
  setRemark(userId: UserId, remark: string): Promise<void>;

  // groups
  groups(): Promise<readonly Group[]>;
  group(groupId: GroupId): Promise<Group>;
  createGroup(name: string, joinPolicy: JoinPolicy, invite: readonly UserId[]): Promise<GroupId>;
  /** True: in; false: the admins are asked. */
  joinGroup(groupId: GroupId, note: string): Promise<boolean>;
  /** An admin answers a request to join; with one's own number: an invitation. */
  answerJoin(groupId: GroupId, userId: UserId, accept: boolean): Promise<void>;
  inviteMember(groupId: GroupId, userId: UserId): Promise<void>;
  leaveGroup(groupId: GroupId): Promise<void>;
  removeMember(groupId: GroupId, userId: UserId): Promise<void>;
  setRole(groupId: GroupId, userId: UserId, role: "member" | "admin"): Promise<void>;
  transferGroup(groupId: GroupId, userId: UserId): Promise<void>;
  dismissGroup(groupId: GroupId): Promise<void>;
  updateGroup(groupId: GroupId, change: GroupChange): Promise<void>;
  setCard(groupId: GroupId, card: string): Promise<void>;
  /** All of them, by number. */
  members(groupId: GroupId): Promise<readonly Member[]>;
  joinRequests(groupId: GroupId): Promise<readonly JoinRequest[]>;
  /** The user's own, the latest first. {@link answerJoin} answers one. */
  invitations(): Promise<readonly Invitation[]>;

  // account
  devices(): Promise<readonly Device[]>;
  revokeDevice(deviceId: string): Promise<void>;
  /** Logs out the account's other devices. */
  changePassword(oldPassword: string, newPassword: string): Promise<void>;
  deleteAccount(password: string, confirmUserId: UserId): Promise<void>;

  /** Let go of the socket and of storage; nothing comes any more. Idempotent. */
  close(): void;
}
