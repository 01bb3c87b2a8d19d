/** The people and groups of {@link DemoClient}, and what can be done with them. */

import {
  ChatError,
  ErrorCode,
  type ChatEvents,
  type Contact,
  type Device,
  type Group,
  type GroupChange,
  type GroupId,
  type Invitation,
  type JoinPolicy,
  type JoinRequest,
  type Member,
  type Profile,
  type ProfileChange,
  type UserId,
} from "../core/api";
import { Emitter } from "../core/emitter";
import type { PeopleApi } from "../core/people";
import { ME, PEOPLE, makeContacts, makeGroup, makeGroups, makeInvitations, makeMembers } from "./people";

export abstract class DemoWorld implements Omit<PeopleApi, "deleteAccount"> {
  /** Tests say by it what a server would. */
  readonly events = new Emitter<ChatEvents>();
  protected contactList: Contact[] = makeContacts();
  protected groupList: Group[] = makeGroups();
  protected readonly memberLists = new Map<GroupId, Member[]>();
  protected invitationList: readonly Invitation[] = makeInvitations();
  protected ownProfile: ProfileChange = {};

  constructor() {
    for (const group of this.groupList) this.memberLists.set(group.groupId, makeMembers(group));
  }

  /** Takes as long as an answer does. */
  protected abstract pause(): Promise<void>;

  // ---- people ----------------------------------------------------------------------------------

  async profile(userId: UserId): Promise<Profile> {
    await this.pause();
    const person = PEOPLE.find((one) => one.id === userId);
    if (person === undefined) throw new ChatError(ErrorCode.USER_NOT_FOUND);
    const isMe = userId === ME;
    return {
      userId,
      nickname: person.nickname,
      signature: person.signature,
      avatar: "",
      createdAtMs: Date.now() - 90 * 86_400_000,
      isBot: person.isBot ?? false,
      allowStrangers: false,
      isAdmin: isMe,
      ...(isMe ? this.ownProfile : {}),
    };
  }

  async updateProfile(change: ProfileChange): Promise<Profile> {
    this.ownProfile = { ...this.ownProfile, ...change };
    return this.profile(ME);
  }

  async searchUsers(query: string): Promise<readonly Profile[]> {
    const wanted = query.toLowerCase();
    const found = PEOPLE.filter((one) => one.id === query || one.nickname.toLowerCase().includes(wanted));
    return Promise.all(found.map((one) => this.profile(one.id)));
  }

  async contacts(): Promise<readonly Contact[]> {
    await this.pause();
    return this.contactList;
  }

  async requestFriend(userId: UserId, note: string): Promise<void> {
    const profile = await this.profile(userId);
    if (this.contactList.some((one) => one.userId === userId && one.isFriend)) {
      throw new ChatError(ErrorCode.ALREADY_FRIENDS);
    }
    const { nickname, isBot } = profile;
    const requestSentAtMs = Date.now();
    this.contactList = [
      ...this.contactList.filter((one) => one.userId !== userId),
      { ...NOBODY, userId, nickname, isBot, note, requestSentAtMs },
    ];
    this.events.emit("contactsChanged", null);
  }

  async answerFriend(userId: UserId, accept: boolean): Promise<void> {
    await this.changeContact(userId, { requestReceivedAtMs: 0, isFriend: accept });
  }

  async deleteFriend(userId: UserId): Promise<void> {
    await this.changeContact(userId, { isFriend: false });
  }

  async setBlocked(userId: UserId, isBlocked: boolean): Promise<void> {
    await this.changeContact(userId, { isBlocked });
  }

  async setRemark(userId: UserId, remark: string): Promise<void> {
    await this.changeContact(userId, { remark });
  }

  // ---- groups ----------------------------------------------------------------------------------

  async groups(): Promise<readonly Group[]> {
    await this.pause();
    return this.groupList.filter((one) => one.role !== "none" && !one.dismissed);
  }

  async group(groupId: GroupId): Promise<Group> {
    await this.pause();
    const group = this.groupList.find((one) => one.groupId === groupId);
    if (group === undefined) throw new ChatError(ErrorCode.GROUP_NOT_FOUND);
    return group;
  }

  async createGroup(
    name: string,
    joinPolicy: JoinPolicy,
    invite: readonly UserId[],
  ): Promise<GroupId> {
    await this.pause();
    const groupId = String(20_001 + this.groupList.length);
    const group: Group = {
      groupId,
      name,
      joinPolicy,
      announcement: "",
      members: 1 + invite.length,
      memberLimit: 500,
      createdAtMs: Date.now(),
      ownerId: ME,
      role: "owner",
      dismissed: false,
    };
    this.groupList = [...this.groupList, group];
    this.memberLists.set(groupId, makeMembers(group));
    this.events.emit("groupsChanged", { groupId });
    return groupId;
  }

  async joinGroup(groupId: GroupId): Promise<boolean> {
    const group = await this.group(groupId);
    if (group.role !== "none") throw new ChatError(ErrorCode.ALREADY_A_MEMBER);
    if (group.joinPolicy === "closed") throw new ChatError(ErrorCode.GROUP_CLOSED);
    return false;
  }

  async answerJoin(groupId: GroupId, userId: UserId, accept: boolean): Promise<void> {
    const invitation = this.invitationList.find((one) => one.groupId === groupId);
    if (userId === ME && invitation !== undefined) {
      this.invitationList = this.invitationList.filter((one) => one !== invitation);
      if (accept) this.groupList = [...this.groupList, makeGroup(groupId, invitation.name, "member", 4)];
    }
    await this.changeGroup(groupId, {});
  }

  async inviteMember(groupId: GroupId): Promise<void> {
    await this.changeGroup(groupId, {});
  }

  async leaveGroup(groupId: GroupId): Promise<void> {
    const group = await this.group(groupId);
    if (group.role === "owner") throw new ChatError(ErrorCode.OWNER_MUST_TRANSFER);
    await this.changeGroup(groupId, { role: "none" });
  }

  async removeMember(groupId: GroupId, userId: UserId): Promise<void> {
    const members = await this.members(groupId);
    const left = members.filter((one) => one.userId !== userId);
    this.memberLists.set(groupId, left);
    await this.changeGroup(groupId, { members: left.length });
  }

  async setRole(groupId: GroupId, userId: UserId, role: "member" | "admin"): Promise<void> {
    const members = await this.members(groupId);
    const changed = members.map((one) => (one.userId === userId ? { ...one, role } : one));
    this.memberLists.set(groupId, changed);
    await this.changeGroup(groupId, {});
  }

  async transferGroup(groupId: GroupId, userId: UserId): Promise<void> {
    await this.changeGroup(groupId, { ownerId: userId, role: "admin" });
  }

  async dismissGroup(groupId: GroupId): Promise<void> {
    await this.changeGroup(groupId, { dismissed: true });
  }

  async updateGroup(groupId: GroupId, change: GroupChange): Promise<void> {
    await this.changeGroup(groupId, change);
  }

  async setCard(groupId: GroupId, card: string): Promise<void> {
    const members = await this.members(groupId);
    this.memberLists.set(
      groupId,
      members.map((one) => (one.userId === ME ? { ...one, card } : one)),
    );
    await this.changeGroup(groupId, {});
  }

  async members(groupId: GroupId): Promise<readonly Member[]> {
    await this.pause();
    return this.memberLists.get(groupId) ?? [];
  }

  async joinRequests(groupId: GroupId): Promise<readonly JoinRequest[]> {
    const group = await this.group(groupId);
    if (group.role === "member") throw new ChatError(ErrorCode.NOT_AN_ADMIN);
    const requestedAtMs = Date.now() - 3_600_000;
    return [{ userId: "10006", nickname: "王一一", note: "带我一个", requestedAtMs, invitedBy: "" }];
  }

  async invitations(): Promise<readonly Invitation[]> {
    await this.pause();
    return this.invitationList;
  }

  // ---- account ---------------------------------------------------------------------------------

  async devices(): Promise<readonly Device[]> {
    await this.pause();
    const now = Date.now();
    const old = now - 20 * 86_400_000;
    return [
      { deviceId: "00".repeat(16), kind: "web", name: "Firefox, Linux", createdAtMs: old, lastSeenAtMs: now, current: true },
      { deviceId: "01".repeat(16), kind: "cli", name: "laptop", createdAtMs: old, lastSeenAtMs: old + 86_400_000, current: false },
      { deviceId: "02".repeat(16), kind: "mobile", name: "小满的手机", createdAtMs: old, lastSeenAtMs: now - 3_600_000, current: false },
    ];
  }

  async revokeDevice(): Promise<void> {
    await this.pause();
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.pause();
    if (oldPassword === "wrong-password") throw new ChatError(ErrorCode.BAD_CREDENTIALS);
    if (newPassword.length < 8) throw new ChatError(ErrorCode.WEAK_PASSWORD);
  }

  protected async changeContact(userId: UserId, change: Partial<Contact>): Promise<void> {
    await this.pause();
    this.contactList = this.contactList.map((one) => (one.userId === userId ? { ...one, ...change } : one));
    this.events.emit("contactsChanged", null);
  }

  protected async changeGroup(groupId: GroupId, change: Partial<Group>): Promise<void> {
    await this.pause();
    this.groupList = this.groupList.map((one) => (one.groupId === groupId ? { ...one, ...change } : one));
    this.events.emit("groupsChanged", { groupId });
  }
}

const NOBODY: Contact = {
  userId: "",
  nickname: "",
  remark: "",
  isFriend: false,
  isBlocked: false,
  requestReceivedAtMs: 0,
  requestSentAtMs: 0,
  note: "",
  online: false,
  lastSeenAtMs: 0,
  isBot: false,
  avatar: "",
};
