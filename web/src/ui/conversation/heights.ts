/**
 * How high a row will be, before it is there.
 *
 * Rows are measured once they are drawn; where the guess was right nothing has to move then, and the
 * frame is done with one layout. So this says what message_row.css and HistoryRow.vue come to.
 */

import { Kind, type ConversationType } from "../../core/api";
import { isOnlyEmoji } from "../format/segments";
import { fitPicture } from "./pictures";
import type { Row } from "./rows";

/** The type scale of tokens.css, in pixels. */
const TEXT_PX = 15;
const TEXT_LINE_PX = 24;
const SMALL_LINE_PX = 12 * 1.4;

const DAY_PX = 16 + 8 + SMALL_LINE_PX;
const UNREAD_PX = 12 + 12 + SMALL_LINE_PX;
const NOTICE_PX = 8 + 8 + 12 * 1.6;
const NAME_PX = SMALL_LINE_PX + 3;
const LARGE_PX = 40 * 1.25;
/** Around a picture. */
const FRAME_PX = 3 + 3;
const CARD_PX = 64;
const QUOTE_PX = 48;

/** Around a bubble's text. */
const BUBBLE_PX = 7 + 7;
const BUBBLE_SIDES_PX = 12 + 12;
const MAX_SAID_PX = 680;

/** Wide signs fill a square, the others about half of one. */
function textWidth(text: string): number {
  let halves = 0;
  for (let at = 0; at < text.length; at++) halves += text.charCodeAt(at) > 0x2e7f ? 2 : 1.08;
  return (halves * TEXT_PX) / 2;
}

function countLines(text: string, roomPx: number): number {
  // Most messages are short: no need to look at each sign.
  if (text.length * TEXT_PX <= roomPx && !text.includes("\n")) return 1;
  let lines = 0;
  for (const line of text.split("\n")) lines += Math.max(1, Math.ceil(textWidth(line) / roomPx));
  return lines;
}

/** The room for text beside face, edges, time and state. */
function textRoom(row: Row, widthPx: number): number {
  const edges = 48 + (row.entry.isOwn ? 0 : 44);
  const said = widthPx === 0 ? MAX_SAID_PX : Math.min(MAX_SAID_PX, (widthPx - edges) * 0.85);
  const meta = 8 + 18 + (row.showsMeta ? 38 : 0) + (row.showsMeta && row.entry.isOwn ? 19 : 0);
  return said - meta - BUBBLE_SIDES_PX;
}

/** In whole pixels, as rows are measured. @param widthPx of the history; 0: not known yet. */
export function estimateHeight(row: Row | undefined, type: ConversationType, widthPx: number): number {
  if (row === undefined) return 48;
  const above = (row.startsDay ? DAY_PX : 0) + (row.isFirstUnread ? UNREAD_PX : 0);
  const { entry } = row;
  if (row.isLine || entry.is !== "message") return Math.round(above + NOTICE_PX);
  const hasName = type === "group" && row.startsRun && !entry.isOwn;
  const edges = (row.startsRun ? 14 : 4) + (hasName ? NAME_PX : 0);
  return Math.round(above + edges + contentHeight(row, widthPx));
}

function contentHeight(row: Row, widthPx: number): number {
  if (row.entry.is !== "message") return 0;
  const { kind, content } = row.entry;
  const quote = content.quote === undefined ? 0 : QUOTE_PX;
  if (content.media !== undefined && kind !== Kind.TEXT) {
    return quote + (kind === Kind.IMAGE ? FRAME_PX + fitPicture(content.media).height : CARD_PX);
  }
  if (quote === 0 && isOnlyEmoji(content.text)) return LARGE_PX;
  return quote + BUBBLE_PX + TEXT_LINE_PX * countLines(content.text, textRoom(row, widthPx));
}
