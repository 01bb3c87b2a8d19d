import { expect, it } from "vitest";

import { Kind, type Notice } from "../../core/api";
import { zh } from "../../i18n/zh";
import { sayNotice } from "./notices";

function notice(kind: number, change: Partial<Notice["notice"]> = {}): Notice {
  return {
    is: "notice",
    key: "s1",
    conversationId: "1",
    seq: 1,
    kind,
    senderId: "1",
    isOwn: true,
    sentAtMs: 0,
    notice: {
      userIds: ["2", "3"],
      groupId: "",
      targetSeq: 0,
      name: "",
      note: "",
      role: "none",
      joinPolicy: "open",
      announcement: "",
      ...change,
    },
  };
}

function say(one: Notice) {
  return sayNotice(one, (id) => `#${id}`, (names) => names.join("+"));
}

it("names who did it and whom it is about", () => {
  expect(say(notice(Kind.MEMBER_REMOVED))?.params).toMatchObject({ who: "#1", whom: "#2+#3" });
});

it("tells a new admin from a former one", () => {
  expect(say(notice(Kind.ROLE_CHANGED, { role: "admin" }))?.key).toBe("notice.madeAdmin");
  expect(say(notice(Kind.ROLE_CHANGED, { role: "member" }))?.key).toBe("notice.madeMember");
});

it("says nothing of kinds of the future", () => {
  expect(say(notice(199))).toBeUndefined();
});

it("has words for every notice that is handed out", () => {
  const kinds = Object.values(Kind).filter((kind) => kind > Kind.RECALL);
  const keys = kinds.map((kind) => say(notice(kind))?.key.replace("notice.", "") ?? `${kind}`);
  expect(keys.filter((key) => !(key in zh.notice))).toEqual([]);
});
