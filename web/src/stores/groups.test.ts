// @vitest-environment happy-dom
import { expect, it } from "vitest";

import type { Member, Role } from "../core/api";
import { outranks, sortMembers } from "./groups";

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
  });
  const sorted = sortMembers([
    make("1", "member", 2),
    make("2", "member", 1),
    make("3", "admin", 9),
    make("4", "owner", 9),
  ]);
  expect(sorted.map((one) => one.userId)).toEqual(["4", "3", "2", "1"]);
});
