/** Accounts, and what users know of each other. Times in milliseconds since 1970. */

import type { UserId } from "../ids";

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

/** An account that was just made. The code resets a forgotten password and is shown once. */
export interface Registered {
  readonly userId: UserId;
  readonly recoveryCode: string;
}
