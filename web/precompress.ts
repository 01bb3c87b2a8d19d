import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, ResolvedConfig } from "vite";

const PACKABLE = /\.(js|css|html|svg|json|webmanifest)$/;
/** Smaller files are one packet either way. */
const MIN_BYTES = 1_024;

/** Leaves a `.gz` beside every file that is worth it: the server has no time to pack. */
export function precompress(): Plugin {
  let config: ResolvedConfig | undefined;
  return {
    name: "precompress",
    apply: "build",
    configResolved(resolved) {
      config = resolved;
    },
    writeBundle() {
      if (config === undefined) return;
      const folder = resolve(config.root, config.build.outDir);
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf-8" })) {
        if (!PACKABLE.test(name)) continue;
        const bytes = readFileSync(join(folder, name));
        if (bytes.length < MIN_BYTES) continue;
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
