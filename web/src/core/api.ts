/**
 * What the screens know of the core: records, errors, events and the {@link ChatClient}.
 *
 * Ids (users, groups, conversations, devices) are decimal or hex strings: a conversation id does not
 * fit into a JavaScript number. Seqs, ordinals, counts and times are numbers, times in milliseconds
 * since 1970. Records are never changed in place: a change is a new record.
 */

import type { ChatError } from "./errors";

export { ChatError, ErrorCode } from "./errors";

// ---- accounts ----------------------------------------------------------------------------------

export type UserId = string;
export type GroupId = string;
/** A group's is its number; for users a < b it is a · 2³² + b; one's own is a · 2³² + a. */
export type ConversationId = string;

/** Who is logged in on this page. */
export interface Account {
  readonly userId: UserId;
  readonly nickname: string;
  /** Until {@link ChatClient.changePassword} has succeeded everything else is refused. */
  readonly mustChangePassword: boolean;
}

export interface Profile {
  readonly userId: UserId;
  readonly nickname: string;
  readonly signature: string;
  /** Empty: draw one from the number. */
  readonly avatar: string;
  readonly createdAtMs: number;
  readonly isBot: boolean;
  /** The next two are told in one's own profile only. */
  readonly allowStrangers: boolean;
  readonly isAdmin: boolean;
}

/** What is absent stays as it is. */
export interface ProfileChange {
  readonly nickname?: string;
  readonly signature?: string;
  readonly avatar?: string;
  readonly allowStrangers?: boolean;
}

export type DeviceKind = "unknown" | "desktop" | "mobile" | "web" | "cli" | "bot";

export interface Device {
  readonly deviceId: string;
  readonly kind: DeviceKind;
  readonly name: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  /** The one that asks. */
  readonly current: boolean;
}

/** Somebody whom the user is connected with: friend, asker, asked, or blocked. */
export interface Contact {
  readonly userId: UserId;
  readonly nickname: string;
  /** The user's own name for them; empty: the nickname. */
  readonly remark: string;
  readonly isFriend: boolean;
  readonly isBlocked: boolean;
  /** 0: no open request; otherwise they wait for an answer. */
  readonly requestReceivedAtMs: number;
  readonly requestSentAtMs: number;
  readonly note: string;
  /** Friends only. */
  readonly online: boolean;
  readonly lastSeenAtMs: number;
  readonly isBot: boolean;
  /** The blob of their picture; empty: none. */
  readonly avatar: string;
}

// ---- groups ------------------------------------------------------------------------------------

/** "none": not a member. */
export type Role = "none" | "member" | "admin" | "owner";
export type JoinPolicy = "open" | "approval" | "invitation" | "closed";

export interface Group {
  readonly groupId: GroupId;
  readonly name: string;
  readonly joinPolicy: JoinPolicy;
  readonly announcement: string;
  readonly members: number;
  readonly memberLimit: number;
  readonly createdAtMs: number;
  readonly ownerId: UserId;
  /** The reader's own. */
  readonly role: Role;
  readonly dismissed: boolean;
}

export interface GroupChange {
  readonly name?: string;
  readonly joinPolicy?: JoinPolicy;
  readonly announcement?: string;
}

export interface Member {
  readonly userId: UserId;
  readonly nickname: string;
  /** The name in this group; empty: the nickname. */
  readonly card: string;
  readonly role: Role;
  readonly joinedAtMs: number;
  readonly avatar: string;
}

/** Somebody at the door: asked to join, or was invited by `invitedBy` (empty: nobody). */
export interface JoinRequest {
  readonly userId: UserId;
  readonly nickname: string;
  readonly note: string;
  readonly requestedAtMs: number;
  readonly invitedBy: UserId;
}

/** An invitation into a group that the user has not answered. */
export interface Invitation {
  readonly groupId: GroupId;
  readonly name: string;
  readonly members: number;
  readonly invitedBy: UserId;
  /** The nickname of who invited. */
  readonly inviter: string;
  readonly invitedAtMs: number;
}

// ---- the log -----------------------------------------------------------------------------------

/** Numbers of docs/protocol.md, section 14. Others are of the future. */
export const Kind = {
  HIDDEN: 0,
  TEXT: 1,
  IMAGE: 2,
  FILE: 3,
  VOICE: 4,
  CARD: 5,
  CUSTOM: 6,
  RECALLED: 64,
  RECALL: 100,
  GROUP_CREATED: 110,
  MEMBER_JOINED: 111,
  MEMBER_LEFT: 112,
  MEMBER_REMOVED: 113,
  ROLE_CHANGED: 114,
  OWNER_CHANGED: 115,
  GROUP_CHANGED: 116,
  GROUP_DISMISSED: 117,
  CARD_CHANGED: 118,
  JOIN_REQUESTED: 119,
  JOIN_DECLINED: 120,
  MEMBER_INVITED: 121,
  FRIEND_REQUESTED: 130,
  FRIEND_ADDED: 131,
  REQUEST_DECLINED: 132,
  FRIEND_REMOVED: 133,
  BLOCKED: 134,
  UNBLOCKED: 135,
} as const;

/** From here on kinds are notices of the server, below messages of people. */
export const FIRST_NOTICE_KIND = 100;

/** The message that another one answers. The excerpt is the sender's word: look it up by seq. */
export interface Quote {
  readonly seq: number;
  readonly senderId: UserId;
  readonly excerpt: string;
}

/** An image, file or voice message; the blob itself lies on the server. */
export interface Media {
  readonly blobId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
}

/** A file on the server: one that a message names, or the small picture of a user. */
export type FileRef =
  | { readonly is: "file" | "thumbnail"; readonly blobId: string }
  /** `blobId`: as {@link Profile.avatar} has it, so that a new one is not taken for the last. */
  | { readonly is: "avatar"; readonly userId: UserId; readonly blobId: string };

/** What the sender knows of a file. A sound with a duration is a voice message. */
export interface FileFacts {
  /** A picture, or whatever it is, goes as a mere file: byte for byte, with all that cameras write. */
  readonly isOriginal?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly durationMs?: number;
}

/** A file that the account has on the server. */
export interface OwnFile {
  readonly blobId: string;
  /** As it was called when it was uploaded; may be empty. */
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly hasThumbnail: boolean;
  readonly addedAtMs: number;
}

export interface OwnFiles {
  /** With what is on its way up. */
  readonly usedBytes: number;
  /** 0: any number. */
  readonly quotaBytes: number;
  /** The newest first. */
  readonly files: readonly OwnFile[];
  /** Where the next page begins; empty: that was the last one. */
  readonly next: string;
}

/** What may be uploaded. */
export interface FileLimits {
  readonly maxBytes: number;
  readonly maxPictureBytes: number;
}

export interface LinkCard {
  readonly title: string;
  readonly summary: string;
  readonly url: string;
}

/** What a message says: the sender's words, possibly false or hostile. Show as text only. */
export interface Content {
  /** For kinds other than TEXT what stands in for them. */
  readonly text: string;
  readonly quote?: Quote;
  readonly mentions: readonly UserId[];
  readonly mentionsAll: boolean;
  readonly media?: Media;
  readonly card?: LinkCard;
}

/** What a notice says; which fields count depends on the kind. */
export interface NoticeBody {
  readonly userIds: readonly UserId[];
  readonly groupId: GroupId;
  readonly targetSeq: number;
  readonly name: string;
  readonly note: string;
  readonly role: Role;
  readonly joinPolicy: JoinPolicy;
  readonly announcement: string;
}

interface EntryBase {
  /** Stays the same from "sending" to "sent"; unique within the conversation. For `:key`. */
  readonly key: string;
  readonly conversationId: ConversationId;
  /** 0 while it is not in the log. */
  readonly seq: number;
  readonly kind: number;
  readonly senderId: UserId;
  readonly isOwn: boolean;
  /** The server's time; while it is being sent, this machine's. */
  readonly sentAtMs: number;
}

/** Something that a person or bot wrote. Kind RECALLED: taken back, the content is empty. */
export interface Message extends EntryBase {
  readonly is: "message";
  readonly content: Content;
  /** How far it got; {@link messageState} adds what the other's cursors say. */
  readonly state: "sending" | "sent" | "failed";
  /** Why it failed: refused for good. */
  readonly error?: ChatError;
  /** What is still on its way up; {@link ChatClient.discard} stops that. */
  readonly file?: Blob;
  /** What one's own recalled message said, for "edit again"; on this page only, until it is left. */
  readonly recalledText?: string;
}

/** A change that the log records: who came, who asked. RECALL notices are not handed out. */
export interface Notice extends EntryBase {
  readonly is: "notice";
  readonly notice: NoticeBody;
}

export type Entry = Message | Notice;

export type ConversationType = "direct" | "group" | "self";

/** A line of the conversation list. Sort by pinned, then {@link lastActiveAtMs}. */
export interface Conversation {
  readonly conversationId: ConversationId;
  readonly type: ConversationType;
  /** The other user of a direct conversation, oneself in "self", empty in a group. */
  readonly peerId: UserId;
  readonly groupId: GroupId;
  /** Remark, else nickname or the group's name, as far as it is known; may be empty. */
  readonly name: string;
  /** The last message, one that waits to be sent included. */
  readonly last?: Entry;
  readonly lastActiveAtMs: number;
  readonly unread: number;
  /** Somebody mentioned the user (or all) in what is unread. */
  readonly isMentioned: boolean;
  readonly draft: string;
  readonly isPinned: boolean;
  readonly isMuted: boolean;
  /** The last seq that there is, and the stretch that the user may see. */
  readonly headSeq: number;
  readonly sinceSeq: number;
  readonly untilSeq: number;
  /** Up to where the account has read. */
  readonly readSeq: number;
  /** The other's cursors in a direct conversation; 0 elsewhere. */
  readonly peerReadSeq: number;
  readonly peerDeliveredSeq: number;
}

export type MessageState = "sending" | "sent" | "delivered" | "read" | "failed";

/** The state to show beside one's own message. */
export function messageState(
  message: Message,
  conversation: Pick<Conversation, "type" | "peerReadSeq" | "peerDeliveredSeq">,
): MessageState {
  if (message.state !== "sent" || conversation.type !== "direct") return message.state;
  if (message.seq <= conversation.peerReadSeq) return "read";
  return message.seq <= conversation.peerDeliveredSeq ? "delivered" : "sent";
}

/** Where a piece of history lies: its newest end, before or after a seq, or on both sides of one. */
export type HistoryPlace =
  | { readonly at: "end" }
  | { readonly at: "before"; readonly seq: number }
  | { readonly at: "after"; readonly seq: number }
  | { readonly at: "around"; readonly seq: number };

/** A piece of a conversation, ascending; at its end what waits to be sent, if it reaches there. */
export interface HistoryPage {
  readonly entries: readonly Entry[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** What the person composed. */
export interface Draft {
  readonly text: string;
  readonly kind?: number;
  readonly quote?: Quote;
  readonly mentions?: readonly UserId[];
  readonly mentionsAll?: boolean;
  readonly media?: Media;
  /** Keys of one's own messages whose files must be on the server first: what was meant as one. */
  readonly after?: readonly string[];
}

// ---- the connection ----------------------------------------------------------------------------

export type KickReason =
  | "unknown"
  | "replaced"
  | "revoked"
  | "passwordChanged"
  | "accountDisabled"
  | "accountDeleted"
  | "loggedOut";

export type Connection =
  /** Nobody is logged in. */
  | { readonly state: "none" }
  | { readonly state: "connecting"; readonly attempt: number }
  /** `isSyncing`: what was missed is still coming in. */
  | { readonly state: "online"; readonly unitId: string; readonly isSyncing: boolean }
  /** The next try is at `untilMs`; {@link ChatClient.reconnect} tries now. */
  | {
      readonly state: "waiting";
      readonly untilMs: number;
      readonly attempt: number;
      /** The server that this page came from is away, and only it can renew the log-in: addresses
       * of others, where one would have to log in again. */
      readonly elsewhere?: readonly string[];
    }
  /** For good: the person may log in again, the page does not by itself. */
  | { readonly state: "kicked"; readonly reason: KickReason; readonly deviceName: string }
  /** The log-in is no longer good: ask for the password. */
  | { readonly state: "ended"; readonly error: ChatError };

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

/** An account that was just made. The code resets a forgotten password and is shown once. */
export interface Registered {
  readonly userId: UserId;
  readonly recoveryCode: string;
}

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
