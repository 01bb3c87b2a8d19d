/** Packets as bytes: a header of 10 bytes and a body; over a WebSocket one packet is one message. */

import { ChatError, ErrorCode } from "../errors";

/** The body's length (4 bytes), the type (2), the request id (4); big-endian. */
export const HEADER_BYTES = 10;

export interface Frame {
  readonly type: number;
  readonly requestId: number;
  readonly body: Uint8Array;
}

/** One packet as a WebSocket message. @param requestId 0: a push, or a request without an answer. */
export function encodeFrame(type: number, requestId: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  view.setUint16(4, type);
  view.setUint32(6, requestId);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/**
 * The packet of one WebSocket message.
 *
 * @throws ChatError FRAME_TOO_LARGE, or MALFORMED when it is not exactly one packet.
 */
export function decodeFrame(message: Uint8Array, maxBodyBytes: number): Frame {
  if (message.length < HEADER_BYTES) throw new ChatError(ErrorCode.MALFORMED);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const length = view.getUint32(0);
  if (length > maxBodyBytes) throw new ChatError(ErrorCode.FRAME_TOO_LARGE);
  if (message.length !== HEADER_BYTES + length) throw new ChatError(ErrorCode.MALFORMED);
  const body = message.subarray(HEADER_BYTES);
  return { type: view.getUint16(4), requestId: view.getUint32(6), body };
}
