// @vitest-environment happy-dom
import { createPinia } from "pinia";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp } from "vue";

import type { Account, ChatClient, ChatEvents, Connection, Group, JoinRequest, Member, Role } from "../core/api";
import { Emitter } from "../core/emitter";
import { ChatError, ErrorCode } from "../core/errors";
import { mountPage } from "../../tests/mounting";
import GroupsColumn from "../ui/groups/GroupsColumn.vue";
import { clientKey } from "./client";
import { outranks, sortMembers, useGroups } from "./groups";

it("owners may change all others, admins members, members nobody", () => {
  const roles: readonly Role[] = ["owner", "admin", "member"];
  const may = roles.map((one) => roles.filter((other) => outranks(one, other)));
  expect(may).toEqual([["admin", "member"], ["member"], []]);
});

it("owner and admins come first, then the eldest", () => {
  const make = (userId: string, role: Role, joinedAtMs: number): Member => ({
    userId,
    nickname: "",
    card: "",
    role,
    joinedAtMs,
    avatar: "",
  });
  const sorted = sortMembers([
    make("1", "member", 2),
    make("2", "member", 1),
    make("3", "admin", 9),
    make("4", "owner", 9),
  ]);
  expect(sorted.map((one) => one.userId)).toEqual(["4", "3", "2", "1"]);
});

it("waits for an answer: one's own invitations and who asks, not whom members have invited", async () => {
  const { client } = await mountPage(GroupsColumn);
  const groups = useGroups();
  const asks: JoinRequest = { userId: "1", nickname: "", note: "", requestedAtMs: 1, invitedBy: "" };
  vi.spyOn(client, "joinRequests").mockResolvedValue([asks, { ...asks, userId: "2", invitedBy: "3" }]);
  await groups.load();
  const managed = groups.all.filter((one) => groups.mayManage(one.groupId)).length;
  expect(groups.invitations.length).toBe(1);
  expect(groups.waiting).toBe(1 + managed);
});

it("reads requests again when another admin has answered one, where the user may answer too", async () => {
  const { client } = await mountPage(GroupsColumn);
  const groups = useGroups();
  await vi.waitUntil(() => groups.isLoaded);
  const asked = vi.spyOn(client, "joinRequests").mockResolvedValue([]);
  for (const { groupId } of groups.all) client.events.emit("joinRequestsChanged", { groupId });
  const managed = groups.all.filter((one) => groups.mayManage(one.groupId)).map((one) => one.groupId);
  expect(asked.mock.calls).toEqual(managed.map((id) => [id]));
  expect(managed.length).toBeLessThan(groups.all.length);
  await vi.waitFor(() => expect(groups.requests.get(managed[0] ?? "")).toEqual([]));
});

describe("changes of groups", () => {
  const events = new Emitter<ChatEvents>();
  const hikers = { groupId: "20001", name: "Hikers", role: "member" } as Group;
  const client = {
    account: { userId: "10001", nickname: "Ann" } as Account,
    connection: { state: "online" } as Connection,
    on: events.on.bind(events),
    contacts: async () => [],
    groups: vi.fn(async () => [hikers]),
    invitations: async () => [],
    members: vi.fn(async () => [] as Member[]),
  };
  let groups: ReturnType<typeof useGroups>;

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.clearAllMocks();
    events.clear();
    const app = createApp({});
    app.use(createPinia());
    app.provide(clientKey, client as unknown as ChatClient);
    groups = app.runWithContext(() => useGroups());
    await groups.loadMembers("20001");
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const change = (...ids: string[]) => ids.forEach((groupId) => events.emit("groupsChanged", { groupId }));
  const asked = () => [client.groups.mock.calls.length, client.members.mock.calls.length];

  it("are asked about once a second at most, the last of them too", async () => {
    expect(asked()).toEqual([1, 1]);
    for (let time = 0; time < 9; time++) {
      change("20001", "20002");
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked()).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(100);
    // The members of the group where they are shown, and of no other.
    expect(asked()).toEqual([2, 2]);
    change("20002");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked()).toEqual([3, 2]);
  });

  it("leave no members that cannot be read any more", async () => {
    client.members.mockRejectedValueOnce(new ChatError(ErrorCode.NOT_A_MEMBER));
    change("20001");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(groups.members.has("20001")).toBe(false);
  });
});
