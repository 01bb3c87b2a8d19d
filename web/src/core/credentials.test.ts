import { expect, it, vi } from "vitest";

import { Credentials } from "./credentials";
import { ErrorCode } from "./errors";

const SESSION = {
  user_id: "10001",
  nickname: "安安",
  must_change_password: false,
  access_token: "first",
  access_expires_at_ms: Date.now() + 900_000,
  device_id: "0a".repeat(16),
};

function answer(status: number, body: unknown): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), { status });
}

function makeMemory(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
}

it("holds the token of a log-in until it ends", async () => {
  const fetcher = vi.fn(async () => answer(200, SESSION));
  const credentials = new Credentials("http://host", fetcher);
  expect(await credentials.logIn("10001", "secret", "Firefox")).toMatchObject({ userId: "10001" });
  const token = await credentials.token();
  expect([token.accessToken, token.deviceId.length]).toEqual(["first", 16]);
  expect(fetcher).toHaveBeenCalledTimes(1);
});

it("asks by the cookie when the token has ended, or was refused", async () => {
  const fetcher = vi.fn(async () => answer(200, { ...SESSION, access_expires_at_ms: Date.now() + 1_000 }));
  const credentials = new Credentials("http://host", fetcher);
  await credentials.logIn("10001", "secret", "");
  await credentials.token();
  expect(fetcher).toHaveBeenLastCalledWith("http://host/v1/session/resume", expect.anything());
  credentials.renewed("second", Date.now() + 900_000);
  expect((await credentials.token()).accessToken).toBe("second");
  credentials.forget();
  await credentials.token();
  expect(fetcher).toHaveBeenCalledTimes(3);
});

it("tells refusals by their code and facts", async () => {
  const refusal = { code: 6001, retry_after_ms: 1_500, fields: { user_id: "10001" } };
  const credentials = new Credentials("http://host", async () => answer(429, refusal));
  await expect(credentials.logIn("10001", "x", "")).rejects.toMatchObject({
    codeName: "TOO_MANY_LOG_INS",
    retryAfterMs: 1_500,
    fields: { user_id: "10001" },
  });
});

it("takes what is not the server's for now", async () => {
  const gateway = new Credentials("http://host", async () => new Response("<html>", { status: 502 }));
  await expect(gateway.resume()).rejects.toMatchObject({ code: ErrorCode.UNAVAILABLE });
  const offline = new Credentials("http://host", async () => Promise.reject(new TypeError("network")));
  await expect(offline.resume()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
});

it("asks once when many ask at once, and forgets no token that has taken another's place", async () => {
  const fetcher = vi.fn(async () => answer(200, SESSION));
  const credentials = new Credentials("http://host", fetcher);
  await Promise.all([credentials.token(), credentials.token(), credentials.token()]);
  expect(fetcher).toHaveBeenCalledTimes(1);
  credentials.renewed("second", Date.now() + 900_000);
  credentials.forget("first");
  expect((await credentials.token()).accessToken).toBe("second");
  expect(credentials.leftMs).toBeGreaterThan(800_000);
});

it("logs out later when the server is away, and lets the cookie log nobody in before", async () => {
  const memory = makeMemory();
  const said: string[] = [];
  let isAway = true;
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (isAway) throw new TypeError("network");
    said.push(`${init?.method} ${String(input)}`);
    return answer(init?.method === "DELETE" ? 204 : 200, init?.method === "DELETE" ? undefined : SESSION);
  };
  const first = new Credentials("http://host", fetcher, { memory });
  await expect(first.logOut()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  const next = new Credentials("http://host", fetcher, { memory });
  await expect(next.resume()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  isAway = false;
  await expect(next.resume()).rejects.toMatchObject({ code: ErrorCode.NOT_LOGGED_IN });
  expect(said).toEqual(["DELETE http://host/v1/session"]);
  expect(await next.finishLogOut()).toBe(false);
});

it("waits two seconds for a silent server when somebody leaves, and longer when nobody waits", async () => {
  const timeouts = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
  const silent: typeof fetch = async (_, init) => {
    init?.signal?.throwIfAborted();
    return new Promise(() => undefined);
  };
  const credentials = new Credentials("http://host", silent, { memory: makeMemory() });
  for (const say of [() => credentials.logOut(), () => credentials.finishLogOut()]) {
    await expect(say()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  }
  expect(timeouts.mock.calls).toEqual([[2_000], [20_000]]);
  timeouts.mockRestore();
});

it("a log-in takes back a log-out that the server is still being told of", async () => {
  const memory = makeMemory();
  memory.setItem("tinyqq.leaving", "yes");
  const fetcher: typeof fetch = async (_, init) => {
    if (init?.method !== "DELETE") return answer(200, SESSION);
    return new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(new TypeError("aborted"))));
  };
  const credentials = new Credentials("http://host", fetcher, { memory });
  const leaving = credentials.finishLogOut();
  await credentials.logIn("10001", "password", "page");
  await expect(leaving).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  expect((await credentials.token()).accessToken).toBe(SESSION.access_token);
});

it("a log-in makes up for a log-out that was not heard", async () => {
  const memory = makeMemory();
  const away = new Credentials("http://host", async () => Promise.reject(new TypeError("network")), { memory });
  await expect(away.logOut()).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
  const credentials = new Credentials("http://host", async () => answer(200, SESSION), { memory });
  await credentials.logIn("10001", "secret", "");
  expect(await credentials.finishLogOut()).toBe(false);
});
