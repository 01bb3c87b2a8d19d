/** What the build tells the service worker. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { partsOf, withParts } from "../kept_parts";

function chunk(imports: string[], dynamicImports: string[] = [], css: string[] = []) {
  const viteMetadata = { importedCss: new Set(css), importedAssets: new Set<string>() };
  return { type: "chunk" as const, imports, dynamicImports, viteMetadata };
}

const WORKER = readFileSync(new URL("../public/sw.js", import.meta.url), "utf8");

it("keeps what the page may ever ask for, and nothing of the admin page", () => {
  const bundle = {
    "index-1.js": chunk(["shared-1.js"], ["Settings-1.js"], ["index-1.css"]),
    "Settings-1.js": chunk(["index-1.js", "shared-1.js"], [], ["Settings-1.css"]),
    "shared-1.js": chunk([]),
    "admin-1.js": chunk(["shared-1.js"], [], ["admin-1.css"]),
    "index-1.css": { type: "asset" as const },
    "Settings-1.css": { type: "asset" as const },
    "admin-1.css": { type: "asset" as const },
  };
  expect(partsOf("index-1.js", bundle)).toEqual([
    "Settings-1.css",
    "Settings-1.js",
    "index-1.css",
    "index-1.js",
    "shared-1.js",
  ]);
});

it("gives every version of the page a worker of its own", () => {
  const worker = withParts(WORKER, "<p>", ["assets/a.js"]);
  expect(worker).toContain('const PARTS = ["/assets/a.js"];');
  expect(withParts(WORKER, "<p>", ["assets/a.js"])).toBe(worker);
  expect(withParts(WORKER, "<b>", ["assets/a.js"])).not.toBe(worker);
});

it("fails where the worker has no place for the parts", () => {
  expect(() => withParts(worker(), "", [])).toThrow("no place");

  function worker(): string {
    return WORKER.replace("PARTS = []", "PARTS = [1]");
  }
});
