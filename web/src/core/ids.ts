/** Ids: decimal or hex strings, since a conversation id does not fit into a JavaScript number. */

/** Decimal, from 10000 up. */
export type UserId = string;
export type GroupId = string;
/** A group's is its number; for users a < b it is a · 2³² + b; one's own is a · 2³² + a. */
export type ConversationId = string;
export type ConversationType = "direct" | "group" | "self";

/** Whether it can be an id at all: what people type, or what stands in an address, may be anything. */
export function isNumber(text: string): boolean {
  return /^[1-9]\d{0,19}$/.test(text) && BigInt.asUintN(64, BigInt(text)) === BigInt(text);
}

/** 16 random bytes. Not `randomUUID`: that is missing on plain http from another machine. */
export function newId(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(16));
}

/** Two lower-case digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of an even number of hex digits. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}

/** The conversation of two users; with oneself: one's own. */
export function directConversation(one: UserId, other: UserId): ConversationId {
  const [a, b] = [BigInt(one), BigInt(other)];
  return String(a < b ? (a << 32n) | b : (b << 32n) | a);
}

/** What an id says about its conversation. */
export function conversationType(id: ConversationId): ConversationType {
  const number = BigInt(id);
  const high = number >> 32n;
  if (high === 0n) return "group";
  return high === (number & 0xffffffffn) ? "self" : "direct";
}

/** The other user of a direct conversation; oneself in one's own; empty for a group. */
export function peerOf(id: ConversationId, me: UserId): UserId {
  const number = BigInt(id);
  const [high, low] = [number >> 32n, number & 0xffffffffn];
  if (high === 0n) return "";
  return String(String(high) === me ? low : high);
}
