import { describe, expect, it } from "vitest";

import { readVectors } from "../../../tests/vectors";
import { ChatError } from "../errors";
import { fromHex, toHex } from "../ids";
import { decodeFrame, encodeFrame } from "./framing";

interface Case {
  readonly name: string;
  readonly carrier: "stream" | "message";
  readonly max_body_bytes: number;
  readonly chunks: readonly string[];
  readonly frames: readonly { readonly type: number; readonly request_id: number; readonly body: string }[];
  readonly error: string | null;
}

// A browser has no streams: those cases are for other clients.
const cases = readVectors<{ readonly cases: readonly Case[] }>("framing.json").cases.filter(
  (one) => one.carrier === "message",
);

describe("framing", () => {
  it.each(cases)("does as the vectors say: $name", (one) => {
    const frames: Case["frames"][number][] = [];
    let fault: string | null = null;
    for (const chunk of one.chunks) {
      try {
        const { type, requestId, body } = decodeFrame(fromHex(chunk), one.max_body_bytes);
        frames.push({ type, request_id: requestId, body: toHex(body) });
      } catch (error) {
        fault = error instanceof ChatError ? error.codeName : String(error);
        break;
      }
    }
    expect(frames).toEqual(one.frames);
    expect(fault).toBe(one.error);
  });

  it("writes what it reads", () => {
    const bytes = encodeFrame(0x8060, 0xfffffffe, new Uint8Array([1, 2, 3]));
    expect(decodeFrame(bytes, 3)).toEqual({
      type: 0x8060,
      requestId: 0xfffffffe,
      body: new Uint8Array([1, 2, 3]),
    });
  });

  it("reads a packet that lies in the middle of a buffer", () => {
    const bytes = new Uint8Array([9, 9, ...encodeFrame(7, 8, new Uint8Array([5])), 9]);
    expect(decodeFrame(bytes.subarray(2, -1), 10).body).toEqual(new Uint8Array([5]));
  });
});
