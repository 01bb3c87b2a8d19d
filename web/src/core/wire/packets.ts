/** The number of every packet type and the messages that it carries; docs/protocol.md, section 13. */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { ChatError, ErrorCode } from "../errors";
import {
  AnswerFriendSchema,
  AnswerJoinSchema,
  ChangePasswordSchema,
  ContactListSchema,
  CreateGroupSchema,
  CursorMovedSchema,
  DeleteAccountSchema,
  DeleteFriendSchema,
  DeviceListSchema,
  DismissGroupSchema,
  DoneSchema,
  EntrySchema,
  ErrorSchema,
  GetGroupSchema,
  GetHistorySchema,
  GetOverviewSchema,
  GetProfileSchema,
  GoAwaySchema,
  GroupCreatedSchema,
  GroupInfoSchema,
  GroupListSchema,
  HeadHintSchema,
  HeartbeatSchema,
  HelloSchema,
  HistorySchema,
  InvitationListSchema,
  InviteMemberSchema,
  JoinGroupSchema,
  JoinOutcomeSchema,
  JoinRequestListSchema,
  KickedSchema,
  LeaveGroupSchema,
  ListContactsSchema,
  ListDevicesSchema,
  ListGroupsSchema,
  ListInvitationsSchema,
  ListJoinRequestsSchema,
  ListMembersSchema,
  LogInSchema,
  LogOutSchema,
  LoggedInSchema,
  MarkManySchema,
  MarkSchema,
  MemberListSchema,
  OverviewSchema,
  PageSchema,
  PresenceChangedSchema,
  ProfileChangedSchema,
  ProfileSchema,
  ProfileListSchema,
  PulseSchema,
  RecallSchema,
  RecoverPasswordSchema,
  RecoveredSchema,
  RegisterSchema,
  RegisteredSchema,
  RemoveMemberSchema,
  RequestFriendSchema,
  ResumeSchema,
  RevokeDeviceSchema,
  SearchUsersSchema,
  SentSchema,
  SetBlockedSchema,
  SetCardSchema,
  SetRemarkSchema,
  SetRoleSchema,
  SyncSchema,
  TransferGroupSchema,
  TypingSchema,
  UpdateGroupSchema,
  UpdateProfileSchema,
  WelcomeSchema,
} from "./_pb/tinyqq/_pb/client_pb";

/** The only one that this client speaks. */
export const PROTOCOL_VERSION = 1;
/** Set in the type of a reply, whose other bits are its request's. */
export const REPLY_BIT = 0x8000;
/** Set in the type of what the server sends by itself. */
export const PUSH_BIT = 0x4000;
/** The reply to a request that was refused; with request id 0 the connection's last word. */
export const ERROR = 0x8000;

/** A kind of request: its number, what it carries, and what its reply carries. */
export interface RequestKind<Q extends DescMessage, A extends DescMessage> {
  readonly type: number;
  readonly request: Q;
  readonly reply: A;
}

function request<Q extends DescMessage, A extends DescMessage>(
  type: number,
  requestSchema: Q,
  reply: A,
): RequestKind<Q, A> {
  return { type, request: requestSchema, reply };
}

/** All that a device can ask; the numbers are never used again. */
export const Request = {
  HELLO: request(0x0001, HelloSchema, WelcomeSchema),
  HEARTBEAT: request(0x0002, HeartbeatSchema, PulseSchema),
  REGISTER: request(0x0010, RegisterSchema, RegisteredSchema),
  LOG_IN: request(0x0011, LogInSchema, LoggedInSchema),
  RESUME: request(0x0012, ResumeSchema, LoggedInSchema),
  RECOVER_PASSWORD: request(0x0013, RecoverPasswordSchema, RecoveredSchema),
  LOG_OUT: request(0x0014, LogOutSchema, DoneSchema),
  CHANGE_PASSWORD: request(0x0015, ChangePasswordSchema, DoneSchema),
  DELETE_ACCOUNT: request(0x0016, DeleteAccountSchema, DoneSchema),
  LIST_DEVICES: request(0x0017, ListDevicesSchema, DeviceListSchema),
  REVOKE_DEVICE: request(0x0018, RevokeDeviceSchema, DoneSchema),
  GET_PROFILE: request(0x0020, GetProfileSchema, ProfileSchema),
  UPDATE_PROFILE: request(0x0021, UpdateProfileSchema, ProfileSchema),
  SEARCH_USERS: request(0x0022, SearchUsersSchema, ProfileListSchema),
  REQUEST_FRIEND: request(0x0030, RequestFriendSchema, DoneSchema),
  ANSWER_FRIEND: request(0x0031, AnswerFriendSchema, DoneSchema),
  DELETE_FRIEND: request(0x0032, DeleteFriendSchema, DoneSchema),
  SET_BLOCKED: request(0x0033, SetBlockedSchema, DoneSchema),
  SET_REMARK: request(0x0034, SetRemarkSchema, DoneSchema),
  LIST_CONTACTS: request(0x0035, ListContactsSchema, ContactListSchema),
  CREATE_GROUP: request(0x0040, CreateGroupSchema, GroupCreatedSchema),
  JOIN_GROUP: request(0x0041, JoinGroupSchema, JoinOutcomeSchema),
  ANSWER_JOIN: request(0x0042, AnswerJoinSchema, DoneSchema),
  INVITE_MEMBER: request(0x0043, InviteMemberSchema, DoneSchema),
  LEAVE_GROUP: request(0x0044, LeaveGroupSchema, DoneSchema),
  REMOVE_MEMBER: request(0x0045, RemoveMemberSchema, DoneSchema),
  SET_ROLE: request(0x0046, SetRoleSchema, DoneSchema),
  TRANSFER_GROUP: request(0x0047, TransferGroupSchema, DoneSchema),
  DISMISS_GROUP: request(0x0048, DismissGroupSchema, DoneSchema),
  UPDATE_GROUP: request(0x0049, UpdateGroupSchema, DoneSchema),
  SET_CARD: request(0x004a, SetCardSchema, DoneSchema),
  GET_GROUP: request(0x004b, GetGroupSchema, GroupInfoSchema),
  LIST_GROUPS: request(0x004c, ListGroupsSchema, GroupListSchema),
  LIST_MEMBERS: request(0x004d, ListMembersSchema, MemberListSchema),
  LIST_JOIN_REQUESTS: request(0x004e, ListJoinRequestsSchema, JoinRequestListSchema),
  LIST_INVITATIONS: request(0x004f, ListInvitationsSchema, InvitationListSchema),
  SEND: request(0x0060, EntrySchema, SentSchema),
  RECALL: request(0x0061, RecallSchema, DoneSchema),
  TYPING: request(0x0062, TypingSchema, DoneSchema),
  MARK: request(0x0063, MarkSchema, DoneSchema),
  MARK_MANY: request(0x0064, MarkManySchema, DoneSchema),
  GET_OVERVIEW: request(0x0070, GetOverviewSchema, OverviewSchema),
  SYNC: request(0x0071, SyncSchema, PageSchema),
  GET_HISTORY: request(0x0072, GetHistorySchema, HistorySchema),
} as const;

/** What the server sends by itself, with request id 0. */
export const Push = {
  DELIVER: 0x4001,
  CURSOR_MOVED: 0x4002,
  TYPING_NOTICE: 0x4003,
  PRESENCE_CHANGED: 0x4004,
  GO_AWAY: 0x4005,
  KICKED: 0x4006,
  HEAD_HINT: 0x4007,
  PROFILE_CHANGED: 0x4008,
} as const;

const PUSHED = {
  [Push.DELIVER]: EntrySchema,
  [Push.CURSOR_MOVED]: CursorMovedSchema,
  [Push.TYPING_NOTICE]: TypingSchema,
  [Push.PRESENCE_CHANGED]: PresenceChangedSchema,
  [Push.GO_AWAY]: GoAwaySchema,
  [Push.KICKED]: KickedSchema,
  [Push.HEAD_HINT]: HeadHintSchema,
  [Push.PROFILE_CHANGED]: ProfileChangedSchema,
} as const;
type PushedSchema = (typeof PUSHED)[keyof typeof PUSHED];

/** Tell them apart by `$typeName`. */
export type Pushed = MessageShape<PushedSchema>;

/** The record of a push; undefined: only newer clients know it. @throws ChatError MALFORMED. */
export function decodePush(type: number, body: Uint8Array): Pushed | undefined {
  const schema = (PUSHED as Readonly<Record<number, PushedSchema>>)[type];
  return schema && decodeBody(schema, body);
}

/** The bytes of a message of the protocol. */
export function encodeBody<M extends DescMessage>(schema: M, init: MessageInitShape<M>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

/** The inverse of {@link encodeBody}; fields of the future are left out. @throws ChatError MALFORMED. */
export function decodeBody<M extends DescMessage>(schema: M, body: Uint8Array): MessageShape<M> {
  try {
    return fromBinary(schema, body, { readUnknownFields: false });
  } catch {
    throw new ChatError(ErrorCode.MALFORMED, { message: schema.name });
  }
}

/** The error that an ERROR packet tells of. @throws ChatError MALFORMED. */
export function decodeError(body: Uint8Array): ChatError {
  const error = decodeBody(ErrorSchema, body);
  return new ChatError(error.code, error.fields, error.retryAfterMs);
}
