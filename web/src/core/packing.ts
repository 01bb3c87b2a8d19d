/** Values on their way between tabs: what cannot be cloned as it is, is a ChatError. */

import { ChatError } from "./errors";

interface PackedError {
  readonly $error: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterMs: number;
}

/** A value as it may be posted; records and lists are searched for errors. */
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

/** The value itself where nothing changes: it is cloned by the channel, and may be long. */
function mapped(value: unknown, change: (value: unknown) => unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  // Blobs and the like hold nothing of ours.
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const parts = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const name in parts) {
    const part = change(parts[name]);
    if (part === parts[name]) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...parts }) as Record<string, unknown>;
    copy[name] = part;
  }
  return copy ?? value;
}
