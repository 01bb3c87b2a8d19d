import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { ChatError, ErrorCode } from "./errors";

it("has a text's key for every code, by its class when it does not know it", () => {
  const keys = [3001, 3999, 2999, 12345].map((code) => new ChatError(code).key);
  expect(keys).toEqual([
    "error.NOT_FRIENDS",
    "error.FORBIDDEN",
    "error.NOT_LOGGED_IN",
    "error.UNAVAILABLE",
  ]);
});

it("is for now in classes 6 and 7, and outside all classes", () => {
  const codes = [1000, 2000, 5999, 6000, 7004, 8000, 9000];
  expect(codes.filter((code) => new ChatError(code).isForNow)).toEqual([6000, 7004, 9000]);
});

it("knows every code that the protocol lists", () => {
  const text = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf-8");
  const rows = [...text.matchAll(/^\| ([1-8]\d{3}) \| ([A-Z_]+) \|/gm)];
  expect(rows.length).toBeGreaterThan(50);
  const known: Readonly<Record<string, number>> = ErrorCode;
  expect(rows.filter(([, code, name = ""]) => known[name] !== Number(code))).toEqual([]);
});
