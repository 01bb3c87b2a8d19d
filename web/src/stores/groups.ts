/** The user's groups and their members. */

import { defineStore } from "pinia";
import { computed, ref, shallowReactive, shallowRef, watch } from "vue";

import type { Conversation, Group, GroupId, Invitation, JoinRequest, Member, Role, UserId } from "../core/api";
import { readInBackground } from "./background";
import { useClient } from "./client";
import { usePeople } from "./people";
import { useSession } from "./session";

const RANK: Readonly<Record<Role, number>> = { none: 0, member: 1, admin: 2, owner: 3 };

/** Where many come and go everybody is told of each, and need not ask about each. */
const READ_EVERY_MS = 1_000;

/** Whether somebody of this role may change somebody of that one. */
export function outranks(one: Role, other: Role): boolean {
  return RANK[one] > RANK[other] && RANK[one] >= RANK.admin;
}

/** Owner and admins first, then by when they came. */
export function sortMembers(members: readonly Member[]): Member[] {
  return [...members].sort(
    (one, other) => RANK[other.role] - RANK[one.role] || one.joinedAtMs - other.joinedAtMs,
  );
}

export const useGroups = defineStore("groups", () => {
  const client = useClient();
  const session = useSession();
  const people = usePeople();
  const byId = shallowReactive(new Map<GroupId, Group>());
  const members = shallowReactive(new Map<GroupId, readonly Member[]>());
  /** Who asks to come in, where the user may answer. */
  const requests = shallowReactive(new Map<GroupId, readonly JoinRequest[]>());
  /** Where the user was invited, and has not answered. */
  const invitations = shallowRef<readonly Invitation[]>([]);
  const isLoaded = ref(false);
  /** Of which something was told since they were read. */
  const changed = new Set<GroupId>();

  const all = computed(() =>
    [...byId.values()]
      .filter((one) => one.role !== "none" && !one.dismissed)
      .sort((one, other) => one.name.localeCompare(other.name)),
  );
  const waiting = computed(() => {
    let sum = invitations.value.length;
    for (const list of requests.values()) sum += list.length;
    return sum;
  });

  function mayManage(groupId: GroupId): boolean {
    return RANK[byId.get(groupId)?.role ?? "none"] >= RANK.admin;
  }

  async function load(): Promise<void> {
    const groups = await client.groups();
    const kept = new Set(groups.map((one) => one.groupId));
    for (const id of byId.keys()) if (!kept.has(id)) byId.delete(id);
    for (const one of groups) byId.set(one.groupId, one);
    isLoaded.value = true;
    const managed = groups.filter((one) => mayManage(one.groupId));
    await Promise.all([loadInvitations(), ...managed.map((one) => loadRequests(one.groupId))]);
  }

  async function loadInvitations(): Promise<void> {
    invitations.value = await client.invitations();
  }

  async function loadGroup(groupId: GroupId): Promise<void> {
    byId.set(groupId, await client.group(groupId));
  }

  async function loadMembers(groupId: GroupId): Promise<void> {
    const all = await client.members(groupId);
    people.learn(all);
    members.set(groupId, sortMembers(all));
  }

  async function loadRequests(groupId: GroupId): Promise<void> {
    try {
      const waiting = await client.joinRequests(groupId);
      // Who was invited by a member answers that, and nobody else.
      requests.set(
        groupId,
        waiting.filter((one) => one.invitedBy === ""),
      );
    } catch {
      // The role may just have been lost; then there is nothing to answer.
      requests.delete(groupId);
    }
  }

  async function loadChanged(): Promise<void> {
    const shown = [...changed].filter((one) => members.has(one));
    changed.clear();
    const lists = shown.map((one) => loadMembers(one).catch(() => members.delete(one)));
    await Promise.all([load(), ...lists]);
  }

  const loadSoon = readInBackground(client, loadChanged, READ_EVERY_MS);
  client.on("groupsChanged", ({ groupId }) => {
    changed.add(groupId);
    loadSoon();
  });

  client.on("joinRequestsChanged", ({ groupId }) => {
    if (mayManage(groupId)) void loadRequests(groupId);
  });

  watch(
    () => session.me,
    (me) => {
      byId.clear();
      members.clear();
      requests.clear();
      invitations.value = [];
      isLoaded.value = false;
      if (me) loadSoon();
    },
    { immediate: true },
  );

  function member(groupId: GroupId, userId: UserId): Member | undefined {
    return members.get(groupId)?.find((one) => one.userId === userId);
  }

  /** What to call somebody in a group: one's own remark, their card there, their nickname. */
  function nameIn(groupId: GroupId, userId: UserId): string {
    const remark = people.contacts.get(userId)?.remark;
    if (remark) return remark;
    const known = groupId === "" ? undefined : member(groupId, userId);
    return known?.card || people.nameOf(userId);
  }

  /** The title of a conversation, as far as it is known. */
  function titleOf(conversation: Conversation, ownTitle: string): string {
    if (conversation.type === "self") return ownTitle;
    if (conversation.name !== "") return conversation.name;
    if (conversation.type === "direct") return people.nameOf(conversation.peerId);
    return byId.get(conversation.groupId)?.name ?? conversation.groupId;
  }

  return {
    byId,
    members,
    requests,
    invitations,
    isLoaded,
    all,
    waiting,
    mayManage,
    load,
    loadGroup,
    loadMembers,
    loadRequests,
    member,
    nameIn,
    titleOf,
  };
});
