// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { isSendKey } from "./keys";

function key(init: KeyboardEventInit & { readonly keyCode?: number }, isTouch = false): boolean {
  const event = new KeyboardEvent("keydown", { key: "Enter", ...init });
  if (init.keyCode !== undefined) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  return isSendKey(event, isTouch);
}

it("Enter sends, Shift+Enter does not", () => {
  expect([key({}), key({ shiftKey: true })]).toEqual([true, false]);
});

it("Enter that takes a suggestion of the input method does not send", () => {
  expect(key({ isComposing: true })).toBe(false);
  expect(key({ keyCode: 229 })).toBe(false);
});

it("on a touch screen Enter breaks the line, Ctrl+Enter still sends", () => {
  expect([key({}, true), key({ ctrlKey: true }, true)]).toEqual([false, true]);
});
