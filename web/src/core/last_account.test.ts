import { expect, it } from "vitest";

import { LastAccount } from "./last_account";

function makeMemory(saved: string | null) {
  const memory = new Map(saved === null ? [] : [["tinyqq.account", saved]]);
  return {
    getItem: (name: string) => memory.get(name) ?? null,
    setItem: (name: string, value: string) => void memory.set(name, value),
    removeItem: (name: string) => void memory.delete(name),
  };
}

it("remembers who was here until they are forgotten", () => {
  const memory = makeMemory(null);
  new LastAccount(memory).remember({ userId: "10001", nickname: "Ann", mustChangePassword: true });
  const last = new LastAccount(memory);
  expect(last.find()).toEqual({ userId: "10001", nickname: "Ann", mustChangePassword: false });
  last.forget();
  expect(last.find()).toBeUndefined();
});

it.each([null, "", "{", "null", "7", '{"userId":7}'])("takes %s for nobody", (saved) => {
  expect(new LastAccount(makeMemory(saved)).find()).toBeUndefined();
});
