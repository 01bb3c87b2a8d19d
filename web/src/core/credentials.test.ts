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
