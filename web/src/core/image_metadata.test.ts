import { describe, expect, it } from "vitest";

import { readVectors } from "../../tests/vectors";
import { fromHex, toHex } from "./ids";
import { fileWithoutMetadata, withoutMetadata } from "./image_metadata";

interface Case {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const { cases } = readVectors<{ readonly cases: readonly Case[] }>("image_metadata.json");

describe("withoutMetadata", () => {
  it.each(cases)("does as the vectors say: $name", ({ before, after }) => {
    expect(toHex(withoutMetadata(fromHex(before)))).toBe(after);
  });

  it("takes whatever is cut anywhere", () => {
    for (const { before } of cases) {
      const image = fromHex(before);
      for (let size = 0; size < image.length; size++) withoutMetadata(image.slice(0, size));
    }
  });

  it("keeps a file's name and type, and the file itself when there is nothing to leave out", async () => {
    const [first] = cases;
    const file = new File([fromHex(first?.before ?? "")], "海边.jpg", { type: "image/jpeg" });
    const kept = await fileWithoutMetadata(file);
    expect([kept.type, (kept as File).name]).toEqual(["image/jpeg", "海边.jpg"]);
    expect(toHex(new Uint8Array(await kept.arrayBuffer()))).toBe(first?.after);
    expect(await fileWithoutMetadata(kept)).toBe(kept);
  });
});
