import { expect, it } from "vitest";

import { ErrorCode } from "./errors";
import { People } from "./people";

const people = new People(() => Promise.reject(new Error("asked")));

it.each(["abc", "", "0", "-1", "10001 ", "18446744073709551616"])("asks nobody about %j, which is no number", async (text) => {
  await expect(people.profile(text)).rejects.toMatchObject({ code: ErrorCode.USER_NOT_FOUND });
  await expect(people.group(text)).rejects.toMatchObject({ code: ErrorCode.GROUP_NOT_FOUND });
});

it("asks about what may be somebody", async () => {
  await expect(people.profile("18446744073709551615")).rejects.toThrow("asked");
  await expect(people.group("10000")).rejects.toThrow("asked");
});
