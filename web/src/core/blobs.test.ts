import { expect, it } from "vitest";

import { UnreadableBlob } from "../../tests/blobs";
import { readBlob } from "./blobs";
import { ErrorCode } from "./errors";

it("reads what is there", async () => {
  expect(new TextDecoder().decode(await readBlob(new Blob(["abc"])))).toBe("abc");
});

it("tells by a code of its own that a file is gone, for good", async () => {
  const gone = { code: ErrorCode.FILE_UNREADABLE, isForNow: false };
  await expect(readBlob(new UnreadableBlob(["abc"]))).rejects.toMatchObject(gone);
});
