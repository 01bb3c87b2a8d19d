/** Values on their way between tabs: what cannot be cloned as it is, is a ChatError. */

import { ChatError } from "./errors";

interface PackedError {
  readonly $error: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterMs: number;
}

export function pack(value: unknown): unknown {
  if (value instanceof ChatError) {
    const { code, fields, retryAfterMs } = value;
    return { $error: code, fields, retryAfterMs } satisfies PackedError;
  }
  return mapped(value, pack);
}

/** The inverse of {@link pack}. */
export function unpack(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "$error" in value) {
    const { $error, fields, retryAfterMs } = value as PackedError;
    return new ChatError($error, fields, retryAfterMs);
  }
  return mapped(value, unpack);
}

function mapped(value: unknown, change: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (value === null || typeof value !== "object") return value;
  // Blobs and the like are cloned by the channel.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]));
}
