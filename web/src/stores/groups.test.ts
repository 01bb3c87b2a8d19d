// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";

import type { JoinRequest, Member, Role } from "../core/api";
import { mountPage } from "../../tests/mounting";
import GroupsColumn from "../ui/groups/GroupsColumn.vue";
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
