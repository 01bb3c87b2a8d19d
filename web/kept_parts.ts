/** Tells the service worker what the page consists of, so that it can keep all of it at once. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin, ResolvedConfig } from "vite";

const WORKER = "sw.js";
/** In the worker as it is written, where the build puts the rest. */
const VERSION = 'const VERSION = "";';
const PARTS = "const PARTS = [];";

/** What the bundler tells of a file; of one that is no script only that it is there. */
interface Built {
  readonly type: "chunk" | "asset";
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly viteMetadata?: {
    readonly importedCss: ReadonlySet<string>;
    readonly importedAssets: ReadonlySet<string>;
  };
}

/** The files that a script may ever ask for, itself included; names as in the bundle. */
export function partsOf(start: string, bundle: Readonly<Record<string, Built>>): readonly string[] {
  const found = new Set<string>();
  const due = [start];
  for (let name = due.pop(); name !== undefined; name = due.pop()) {
    const built = bundle[name];
    if (built === undefined || found.has(name)) continue;
    found.add(name);
    due.push(...(built.imports ?? []), ...(built.dynamicImports ?? []));
    due.push(...(built.viteMetadata?.importedCss ?? []), ...(built.viteMetadata?.importedAssets ?? []));
  }
  return [...found].sort();
}

/** The worker with the version and the parts that it shall keep. @throws Error it has no place for them. */
export function withParts(worker: string, page: string, parts: readonly string[]): string {
  if (!worker.includes(VERSION) || !worker.includes(PARTS)) throw new Error("no place for the parts");
  const version = createHash("sha256").update(JSON.stringify([page, parts])).digest("hex").slice(0, 16);
  return worker
    .replace(VERSION, `const VERSION = "${version}";`)
    .replace(PARTS, `const PARTS = ${JSON.stringify(parts.map((name) => `/${name}`))};`);
}

/** The parts of the page of whoever chats: what only the admin page needs is not among them. */
export function keptParts(): Plugin {
  let config: ResolvedConfig | undefined;
  return {
    name: "kept-parts",
    apply: "build",
    configResolved(resolved) {
      config = resolved;
    },
    writeBundle(_, bundle) {
      if (config === undefined) return;
      const folder = join(config.root, config.build.outDir);
      const start = Object.values(bundle).find(
        (one) => one.type === "chunk" && one.facadeModuleId?.endsWith("/index.html"),
      );
      if (start === undefined) this.error("the page has no start");
      const page = readFileSync(join(folder, "index.html"), "utf8");
      const worker = readFileSync(join(folder, WORKER), "utf8");
      writeFileSync(join(folder, WORKER), withParts(worker, page, partsOf(start.fileName, bundle)));
    },
  };
}
