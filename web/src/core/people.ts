/** What is asked about people, groups and the account: requests and answers, nothing kept. */

import type { ChatClient } from "./api";
import { ChatError, ErrorCode } from "./errors";
import { fromHex, isNumber, newId, type GroupId, type UserId } from "./ids";
import type {
  Group,
  GroupChange,
  Invitation,
  JoinPolicy,
  JoinRequest,
  Member,
} from "./model/groups";
import type { Contact, Device, Profile, ProfileChange } from "./model/people";
import type { Call } from "./receiver";
import { Request } from "./wire/packets";
import {
  toContact,
  toDevice,
  toGroup,
  toInvitation,
  toJoinRequest,
  toMember,
  toProfile,
  wireJoinPolicy,
  wireRole,
} from "./wire/records";

const MEMBERS_PAGE = 200;
const FOUND = 20;

/** The part of {@link ChatClient} that is this class's. */
export type PeopleApi = Pick<
  ChatClient,
  | "profile"
  | "updateProfile"
  | "searchUsers"
  | "contacts"
  | "requestFriend"
  | "answerFriend"
  | "deleteFriend"
  | "setBlocked"
  | "setRemark"
  | "groups"
  | "group"
  | "createGroup"
  | "joinGroup"
  | "answerJoin"
  | "inviteMember"
  | "leaveGroup"
  | "removeMember"
  | "setRole"
  | "transferGroup"
  | "dismissGroup"
  | "updateGroup"
  | "setCard"
  | "members"
  | "joinRequests"
  | "invitations"
  | "devices"
  | "revokeDevice"
  | "changePassword"
  | "deleteAccount"
>;

/** Every change carries an operation id of its own: the link may repeat it. */
export class People implements PeopleApi {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  // ---- people ----------------------------------------------------------------------------------

  async profile(userId: UserId): Promise<Profile> {
    if (!isNumber(userId)) throw new ChatError(ErrorCode.USER_NOT_FOUND);
    return toProfile(await this.#call(Request.GET_PROFILE, { userId }));
  }

  async updateProfile(change: ProfileChange): Promise<Profile> {
    return toProfile(await this.#call(Request.UPDATE_PROFILE, change));
  }

  async searchUsers(query: string, limit = FOUND): Promise<readonly Profile[]> {
    const { profiles } = await this.#call(Request.SEARCH_USERS, { query, limit });
    return profiles.map(toProfile);
  }

  async contacts(): Promise<readonly Contact[]> {
    const { contacts } = await this.#call(Request.LIST_CONTACTS, {});
    return contacts.map(toContact);
  }

  async requestFriend(userId: UserId, note: string): Promise<void> {
    await this.#call(Request.REQUEST_FRIEND, { operationId: newId(), userId, note });
  }

  async answerFriend(userId: UserId, accept: boolean): Promise<void> {
    await this.#call(Request.ANSWER_FRIEND, { operationId: newId(), userId, accept });
  }

  async deleteFriend(userId: UserId): Promise<void> {
    await this.#call(Request.DELETE_FRIEND, { operationId: newId(), userId });
  }

  async setBlocked(userId: UserId, blocked: boolean): Promise<void> {
    await this.#call(Request.SET_BLOCKED, { operationId: newId(), userId, blocked });
  }

  async setRemark(userId: UserId, remark: string): Promise<void> {
    await this.#call(Request.SET_REMARK, { userId, remark });
  }

  // ---- groups ----------------------------------------------------------------------------------

  async groups(): Promise<readonly Group[]> {
    const { groups } = await this.#call(Request.LIST_GROUPS, {});
    return groups.map(toGroup);
  }

  async group(groupId: GroupId): Promise<Group> {
    if (!isNumber(groupId)) throw new ChatError(ErrorCode.GROUP_NOT_FOUND);
    return toGroup(await this.#call(Request.GET_GROUP, { groupId }));
  }

  async createGroup(
    name: string,
    joinPolicy: JoinPolicy,
    invite: readonly UserId[],
  ): Promise<GroupId> {
    const operationId = newId();
    const policy = wireJoinPolicy(joinPolicy);
    const created = await this.#call(Request.CREATE_GROUP, {
      operationId,
      name,
      joinPolicy: policy,
      invite: [...invite],
    });
    return created.groupId;
  }

  async joinGroup(groupId: GroupId, note: string): Promise<boolean> {
    const outcome = await this.#call(Request.JOIN_GROUP, { operationId: newId(), groupId, note });
    return outcome.joined;
  }

  async answerJoin(groupId: GroupId, userId: UserId, accept: boolean): Promise<void> {
    await this.#call(Request.ANSWER_JOIN, { operationId: newId(), groupId, userId, accept });
  }

  async inviteMember(groupId: GroupId, userId: UserId): Promise<void> {
    await this.#call(Request.INVITE_MEMBER, { operationId: newId(), groupId, userId });
  }

  async leaveGroup(groupId: GroupId): Promise<void> {
    await this.#call(Request.LEAVE_GROUP, { operationId: newId(), groupId });
  }

  async removeMember(groupId: GroupId, userId: UserId): Promise<void> {
    await this.#call(Request.REMOVE_MEMBER, { operationId: newId(), groupId, userId });
  }

  async setRole(groupId: GroupId, userId: UserId, role: "member" | "admin"): Promise<void> {
    const operationId = newId();
    await this.#call(Request.SET_ROLE, { operationId, groupId, userId, role: wireRole(role) });
  }

  async transferGroup(groupId: GroupId, userId: UserId): Promise<void> {
    await this.#call(Request.TRANSFER_GROUP, { operationId: newId(), groupId, userId });
  }

  async dismissGroup(groupId: GroupId): Promise<void> {
    await this.#call(Request.DISMISS_GROUP, { operationId: newId(), groupId });
  }

  async updateGroup(groupId: GroupId, change: GroupChange): Promise<void> {
    const { name, announcement, joinPolicy } = change;
    await this.#call(Request.UPDATE_GROUP, {
      operationId: newId(),
      groupId,
      name,
      announcement,
      joinPolicy: joinPolicy && wireJoinPolicy(joinPolicy),
    });
  }

  async setCard(groupId: GroupId, card: string): Promise<void> {
    await this.#call(Request.SET_CARD, { operationId: newId(), groupId, card });
  }

  async members(groupId: GroupId): Promise<readonly Member[]> {
    const found: Member[] = [];
    for (let more = true; more; ) {
      const afterUserId = found.at(-1)?.userId ?? "0";
      const limit = MEMBERS_PAGE;
      const page = await this.#call(Request.LIST_MEMBERS, { groupId, afterUserId, limit });
      found.push(...page.members.map(toMember));
      more = page.more && page.members.length > 0;
    }
    return found;
  }

  async joinRequests(groupId: GroupId): Promise<readonly JoinRequest[]> {
    const { requests } = await this.#call(Request.LIST_JOIN_REQUESTS, { groupId });
    return requests.map(toJoinRequest);
  }

  async invitations(): Promise<readonly Invitation[]> {
    const { invitations } = await this.#call(Request.LIST_INVITATIONS, {});
    return invitations.map(toInvitation);
  }

  // ---- account ---------------------------------------------------------------------------------

  async devices(): Promise<readonly Device[]> {
    const { devices } = await this.#call(Request.LIST_DEVICES, {});
    return devices.map(toDevice);
  }

  async revokeDevice(deviceId: string): Promise<void> {
    await this.#call(Request.REVOKE_DEVICE, { deviceId: fromHex(deviceId) });
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.#call(Request.CHANGE_PASSWORD, { oldPassword, newPassword });
  }

  async deleteAccount(password: string, confirmUserId: UserId): Promise<void> {
    await this.#call(Request.DELETE_ACCOUNT, { password, confirmUserId });
  }
}
