import { expect, test, vi } from "vitest";

import { Credentials } from "../core/credentials";
import { ChatError, ErrorCode } from "../core/errors";
import { AdminApi } from "./api";
import type { Picture } from "./picture";
import { picture } from "../../tests/cluster";

const ORIGIN = "https://chat.example";
const SESSION = {
  user_id: "10001",
  nickname: "root",
  must_change_password: false,
  access_token: "token",
  access_expires_at_ms: 9e15,
  device_id: "aabb",
};

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly signal?: AbortSignal | null;
}

/** A server that answers as told; logging in always works. */
function serve(answer: (asked: Asked) => Response): { api: AdminApi; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetcher = (async (url: string, options: RequestInit) => {
    const path = url.slice(ORIGIN.length);
    if (path === "/v1/session/resume") return Response.json(SESSION);
    const { method = "", signal } = options;
    const one = { method, path, headers: new Headers(options.headers), signal };
    asked.push(one);
    return answer(one);
  }) as typeof fetch;
  return { api: new AdminApi(ORIGIN, new Credentials(ORIGIN, fetcher), fetcher), asked };
}

test("every request shows the token", async () => {
  const { api, asked } = serve(() => Response.json({ user_id: "10001", nickname: "root" }));
  await api.me();
  expect(asked[0]?.path).toBe("/v1/admin/me");
  expect(asked[0]?.headers.get("Authorization")).toBe("Bearer token");
});

test("names that are no plain words stay in their place of the address", async () => {
  const { api, asked } = serve(() => new Response(null, { status: 204 }));
  await api.drain("a/b?c", "x&y");
  expect(asked[0]?.path).toBe("/v1/admin/nodes/a%2Fb%3Fc/drain?incarnation=x%26y");
});

test("a token that is good no more is renewed once", async () => {
  let count = 0;
  const { api } = serve(() => (++count === 1 ? refused(401, ErrorCode.TOKEN_EXPIRED) : Response.json({ users: [], more: false })));
  expect(await api.users("", "")).toEqual({ rows: [], more: false });
  expect(count).toBe(2);
});

test("a refusal is told by its code", async () => {
  const { api } = serve(() => refused(403, ErrorCode.FORBIDDEN));
  await expect(api.me()).rejects.toMatchObject({ code: ErrorCode.FORBIDDEN });
});

test("pictures come as they are pushed", async () => {
  const one = picture([], { by: "a" });
  const { api } = serve(() => new Response(`data: ${JSON.stringify(one)}\n\ndata: ${JSON.stringify(one)}\n\n`));
  const seen: Picture[] = [];
  await api.live((next) => seen.push(next), new AbortController().signal);
  expect(seen).toEqual([one, one]);
});

test("a broken connection is told as one", async () => {
  const { api } = serve(() => {
    throw new TypeError("failed");
  });
  await expect(api.me()).rejects.toEqual(new ChatError(ErrorCode.CONNECTION_LOST));
});

test("an answer that breaks off is a broken connection", async () => {
  const broken = new ReadableStream({ start: (body) => body.error(new TypeError("failed")) });
  const { api } = serve(() => new Response(broken));
  await expect(api.me()).rejects.toEqual(new ChatError(ErrorCode.CONNECTION_LOST));
});

test("a stream that falls silent is a broken connection", async () => {
  vi.useFakeTimers();
  let heard: Promise<void> | undefined;
  await new Promise<void>((asked) => {
    const { api } = serve(({ signal }) => {
      asked();
      return new Response(new ReadableStream({ start: (body) => signal?.addEventListener("abort", () => body.error(signal.reason)) }));
    });
    heard = api.live(() => undefined, new AbortController().signal);
  });
  const told = expect(heard).rejects.toEqual(new ChatError(ErrorCode.CONNECTION_LOST));
  await vi.advanceTimersByTimeAsync(20_000);
  await told;
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function refused(status: number, code: number): Response {
  return Response.json({ code, fields: {}, retry_after_ms: 0 }, { status });
}
