import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { InvitationSchema, JoinRequestSchema, JoinPolicy, KickReason, Role } from "./_pb/tinyqq/_pb/client_pb";
import { joinPolicyOf, kickReasonOf, roleOf, toInvitation, toJoinRequest, wireJoinPolicy, wireRole } from "./records";

it("reads numbers of the future as the unspecified one", () => {
  expect([roleOf(77), kickReasonOf(77 as KickReason), joinPolicyOf(77)]).toEqual([
    "none",
    "unknown",
    "approval",
  ]);
});

it("takes roles and join policies both ways", () => {
  expect(roleOf(Role.OWNER)).toBe("owner");
  expect(roleOf(wireRole("admin"))).toBe("admin");
  for (const policy of ["open", "approval", "invitation", "closed"] as const) {
    expect(joinPolicyOf(wireJoinPolicy(policy))).toBe(policy);
  }
  expect(joinPolicyOf(JoinPolicy.UNSPECIFIED)).toBe("approval");
});

it("says that nobody invited who asked by themselves", () => {
  expect(toJoinRequest(create(JoinRequestSchema, { userId: "10002" })).invitedBy).toBe("");
});

it("reads an invitation", () => {
  const sent = { groupId: "20001", name: "Five", members: 3, invitedBy: "10002", inviter: "Bob" };
  const invitation = create(InvitationSchema, { ...sent, invitedAtMs: "7" });
  expect(toInvitation(invitation)).toEqual({ ...sent, invitedAtMs: 7 });
});
