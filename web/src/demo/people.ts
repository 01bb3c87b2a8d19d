/** Made-up people and talk for {@link DemoClient}. */

import type { Contact, Group, Invitation, Member, Role } from "../core/api";

export const ME = "10001";
const DAY_MS = 86_400_000;

interface Person {
  readonly id: string;
  readonly nickname: string;
  readonly signature: string;
  readonly isBot?: boolean;
}

export const PEOPLE: readonly Person[] = [
  { id: "10000", nickname: "TinyQQ 助手", signature: "有问题就问我", isBot: true },
  { id: ME, nickname: "林小满", signature: "慢慢来，比较快" },
  { id: "10002", nickname: "Ada", signature: "Analytical engines and poetry" },
  { id: "10003", nickname: "周亦凡", signature: "今天也要好好吃饭 🍚" },
  { id: "10004", nickname: "陈子昂", signature: "前不见古人" },
  { id: "10005", nickname: "Grace", signature: "" },
  { id: "10006", nickname: "王一一", signature: "在路上" },
  { id: "10007", nickname: "一个名字特别特别长的人就是我自己没有别人", signature: "名字长是优点" },
  { id: "10008", nickname: "<b>Mallory</b>", signature: "<img src=x onerror=alert(1)>" },
  { id: "10009", nickname: "echo", signature: "I say what you say", isBot: true },
];

export const LINES: readonly string[] = [
  "你好！",
  "在吗？",
  "周六去爬山吗，天气预报说是晴天 ☀️",
  "好呀好呀，几点集合？",
  "八点，地铁口见。记得带水和一点吃的，山上的小卖部不一定开门。",
  "收到 👌",
  "Did you see the new build? It starts in under a second now.",
  "Yes. Looks good to me, merging after lunch.",
  "😂😂😂",
  "https://example.org/a/rather/long/path?with=a&query=string#and-a-fragment",
  "这段代码我看了一下：\n第一，边界没处理；\n第二，命名可以再想想；\n其他都挺好。",
  "嗯",
  "哈哈哈哈哈哈哈哈哈哈哈哈",
  "The quick brown fox jumps over the lazy dog, then sits down and thinks about what it has done.",
  "晚安 🌙",
  "<script>alert('not a script')</script>",
  "我刚到家，路上堵了一个小时，整个人都不好了。你们先吃，不用等我，给我留一点就行。",
];

function contact(id: string, more: Partial<Contact>): Contact {
  const person = PEOPLE.find((one) => one.id === id);
  return {
    userId: id,
    nickname: person?.nickname ?? id,
    remark: "",
    isFriend: true,
    isBlocked: false,
    requestReceivedAtMs: 0,
    requestSentAtMs: 0,
    note: "",
    online: false,
    lastSeenAtMs: Date.now() - DAY_MS,
    isBot: person?.isBot ?? false,
    avatar: "",
    ...more,
  };
}

export function makeContacts(): Contact[] {
  const stranger = { isFriend: false, lastSeenAtMs: 0 };
  return [
    contact("10000", { online: true }),
    contact("10002", { online: true }),
    contact("10003", { remark: "一凡（大学）", online: true }),
    contact("10004", {}),
    contact("10005", { lastSeenAtMs: Date.now() - 600_000 }),
    contact("10006", { ...stranger, requestReceivedAtMs: Date.now() - 3_600_000, note: "我是一一，加一下" }),
    contact("10007", { ...stranger, requestSentAtMs: Date.now() - 2 * DAY_MS, note: "你好" }),
    contact("10008", { ...stranger, isBlocked: true }),
    contact("10009", { online: true }),
  ];
}

export function makeGroup(groupId: string, name: string, role: Role, members: number): Group {
  return {
    groupId,
    name,
    joinPolicy: "approval",
    announcement: role === "owner" ? "周六八点地铁口集合。\n迟到的人请喝奶茶。" : "",
    members,
    memberLimit: 500,
    createdAtMs: Date.now() - 30 * DAY_MS,
    ownerId: role === "owner" ? ME : "10002",
    role,
    dismissed: false,
  };
}

export function makeGroups(): Group[] {
  return [
    makeGroup("20001", "周末爬山小队", "owner", 5),
    makeGroup("20002", "Protocol readers", "member", 6),
    makeGroup("20003", "管理员们", "admin", 3),
  ];
}

export function makeInvitations(): Invitation[] {
  const invitedAtMs = Date.now() - 7_200_000;
  return [
    { groupId: "20004", name: "读书会", members: 3, invitedBy: "10002", inviter: "Ada", invitedAtMs },
  ];
}

export function makeMembers(of: Group): Member[] {
  const others = PEOPLE.filter((one) => one.id !== ME).slice(1, of.members);
  const mine: Member = {
    userId: ME,
    nickname: "林小满",
    card: "小满",
    role: of.role,
    joinedAtMs: of.createdAtMs,
    avatar: "",
  };
  const theirs = others.map((one): Member => {
    const role: Role = one.id === of.ownerId ? "owner" : one.id === "10003" ? "admin" : "member";
    const { id: userId, nickname } = one;
    return { userId, nickname, card: "", role, joinedAtMs: of.createdAtMs, avatar: "" };
  });
  return [mine, ...theirs];
}
