/** Protobuf messages about people and groups as the records that screens see. */

import { toHex } from "../ids";
import type { KickReason } from "../model/connection";
import type { Group, Invitation, JoinPolicy, JoinRequest, Member, Role } from "../model/groups";
import type { Contact, Device, DeviceKind, Profile } from "../model/people";
import {
  DeviceKind as WireDeviceKind,
  JoinPolicy as WireJoinPolicy,
  KickReason as WireKickReason,
  Role as WireRole,
  type Contact as WireContact,
  type DeviceInfo,
  type GroupInfo,
  type Invitation as WireInvitation,
  type JoinRequest as WireJoinRequest,
  type Member as WireMember,
  type Profile as WireProfile,
} from "./_pb/tinyqq/_pb/client_pb";

// Numbers that this client does not know are read as the unspecified one (0).

const ROLES: readonly Role[] = ["none", "member", "admin", "owner"];
const DEVICE_KINDS: readonly DeviceKind[] = ["unknown", "desktop", "mobile", "web", "cli", "bot"];
const POLICIES: readonly JoinPolicy[] = ["approval", "open", "approval", "invitation", "closed"];
const KICK_REASONS: readonly KickReason[] = [
  "unknown",
  "replaced",
  "revoked",
  "passwordChanged",
  "accountDisabled",
  "accountDeleted",
  "loggedOut",
];

/** @param role of the wire; unspecified: no member. */
export function roleOf(role: number): Role {
  return ROLES[role] ?? "none";
}

export function wireRole(role: "member" | "admin"): WireRole {
  return role === "admin" ? WireRole.ADMIN : WireRole.MEMBER;
}

/** Unspecified reads as the server's own default. */
export function joinPolicyOf(policy: number): JoinPolicy {
  return POLICIES[policy] ?? "approval";
}

export function wireJoinPolicy(policy: JoinPolicy): WireJoinPolicy {
  return {
    open: WireJoinPolicy.OPEN,
    approval: WireJoinPolicy.APPROVAL,
    invitation: WireJoinPolicy.INVITATION,
    closed: WireJoinPolicy.CLOSED,
  }[policy];
}

export function kickReasonOf(reason: WireKickReason): KickReason {
  return KICK_REASONS[reason] ?? "unknown";
}

export function toProfile(profile: WireProfile): Profile {
  const { userId, nickname, signature, avatar, isBot, allowStrangers, isAdmin } = profile;
  const createdAtMs = Number(profile.createdAtMs);
  return { userId, nickname, signature, avatar, createdAtMs, isBot, allowStrangers, isAdmin };
}

export function toContact(contact: WireContact): Contact {
  const { userId, nickname, remark, isFriend, isBlocked, note, online, isBot, avatar } = contact;
  return {
    userId,
    nickname,
    remark,
    isFriend,
    isBlocked,
    requestReceivedAtMs: Number(contact.requestReceivedAtMs),
    requestSentAtMs: Number(contact.requestSentAtMs),
    note,
    online,
    lastSeenAtMs: Number(contact.lastSeenAtMs),
    isBot,
    avatar,
  };
}

export function toGroup(group: GroupInfo): Group {
  const { groupId, name, announcement, members, memberLimit, ownerId, dismissed } = group;
  return {
    groupId,
    name,
    joinPolicy: joinPolicyOf(group.joinPolicy),
    announcement,
    members,
    memberLimit,
    createdAtMs: Number(group.createdAtMs),
    ownerId,
    role: roleOf(group.role),
    dismissed,
  };
}

export function toMember(member: WireMember): Member {
  const { userId, nickname, card, avatar } = member;
  const joinedAtMs = Number(member.joinedAtMs);
  return { userId, nickname, card, role: roleOf(member.role), joinedAtMs, avatar };
}

export function toJoinRequest(request: WireJoinRequest): JoinRequest {
  const { userId, nickname, note } = request;
  const invitedBy = request.invitedBy === "0" ? "" : request.invitedBy;
  return { userId, nickname, note, requestedAtMs: Number(request.requestedAtMs), invitedBy };
}

export function toInvitation(invitation: WireInvitation): Invitation {
  const { groupId, name, members, invitedBy, inviter } = invitation;
  return { groupId, name, members, invitedBy, inviter, invitedAtMs: Number(invitation.invitedAtMs) };
}

export function toDevice(device: DeviceInfo): Device {
  return {
    deviceId: toHex(device.deviceId),
    kind: DEVICE_KINDS[device.kind as WireDeviceKind] ?? "unknown",
    name: device.name,
    createdAtMs: Number(device.createdAtMs),
    lastSeenAtMs: Number(device.lastSeenAtMs),
    current: device.current,
  };
}
