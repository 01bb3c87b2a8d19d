/** Groups, their members, and who is at the door. Times in milliseconds since 1970. */

import type { GroupId, UserId } from "../ids";

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
