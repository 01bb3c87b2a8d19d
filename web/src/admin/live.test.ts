import { expect, test } from "vitest";

import { Backoff } from "../core/backoff";
import { ChatError, ErrorCode } from "../core/errors";
import { listen } from "./live";
import type { Picture } from "./picture";
import { picture } from "../../tests/cluster";

const AT_ONCE = new Backoff(() => 0, 0, 0);

/** A server whose streams go as told, one after the other; after the last the listener leaves. */
async function play(...streams: (Picture | number)[]): Promise<string[]> {
  const seen: string[] = [];
  const over = new AbortController();
  const api = {
    async live(onPicture: (picture: Picture) => void): Promise<void> {
      const next = streams.shift();
      if (next === undefined) over.abort();
      else if (typeof next === "number") throw new ChatError(next);
      else onPicture(next);
    },
  };
  await listen(
    api,
    {
      onPicture: (one) => seen.push(`picture ${one.by}`),
      onBroken: (error) => seen.push(`broken ${error.codeName}`),
      onShut: (error) => seen.push(`shut ${error.codeName}`),
    },
    over.signal,
    AT_ONCE,
  );
  return seen;
}

test("a stream that ends or breaks is opened again", async () => {
  const seen = await play(
    picture([], { by: "a" }),
    ErrorCode.CONNECTION_LOST,
    ErrorCode.BUSY,
    picture([], { by: "b" }),
  );
  expect(seen).toEqual(["picture a", "broken CONNECTION_LOST", "broken BUSY", "picture b"]);
});

test("who may not look any more is told, and does not try again", async () => {
  expect(await play(ErrorCode.FORBIDDEN, picture([]))).toEqual(["shut FORBIDDEN"]);
  expect(await play(ErrorCode.NOT_LOGGED_IN, picture([]))).toEqual(["shut NOT_LOGGED_IN"]);
});
