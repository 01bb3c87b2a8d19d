import { expect, it } from "vitest";

import { isOutdated, startOf } from "./version";

const page = (script: string) =>
  `<head><script type="module" crossorigin src="${script}"></script><link rel="x" href="/y"></head>`;

it("knows a page by the script that starts it", () => {
  expect(startOf(page("/assets/index-a1.js"))).toBe("/assets/index-a1.js");
  expect(startOf("<p>nothing</p>")).toBeUndefined();
});

it("is outdated when the server has another script, not when it answers otherwise", async () => {
  const serve = (text: string, status = 200): typeof fetch => async () => new Response(text, { status });
  expect(await isOutdated("/a.js", serve(page("/b.js")))).toBe(true);
  expect(await isOutdated("/a.js", serve(page("/a.js")))).toBe(false);
  expect(await isOutdated("/a.js", serve(page("/b.js"), 502))).toBe(false);
  expect(await isOutdated("/a.js", serve("<p>log in to the network</p>"))).toBe(false);
});
