/** Weighs what a browser must fetch before the page can be used; too much fails the build. */

import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";

const MAX_BYTES = 200_000;

/** What is fetched as soon as the page starts, besides what the start itself imports. */
const FIRST = { door: /EntryPage/, conversations: /Shell/ } as const;
const LANGUAGE = /i18n\/zh\.ts$/;

interface Chunk {
  readonly code: string;
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
  readonly facadeModuleId: string | null;
}

function reach(name: string, chunks: ReadonlyMap<string, Chunk>, into: Set<string>): void {
  if (into.has(name) || !chunks.has(name)) return;
  into.add(name);
  for (const next of chunks.get(name)?.imports ?? []) reach(next, chunks, into);
}

export function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = new Map<string, Chunk>();
      let entry = "";
      for (const one of Object.values(bundle)) {
        if (one.type !== "chunk") continue;
        chunks.set(one.fileName, one);
        if (one.facadeModuleId?.endsWith("/index.html")) entry = one.fileName;
      }
      for (const [screen, wanted] of Object.entries(FIRST)) {
        const files = new Set<string>();
        reach(entry, chunks, files);
        for (const next of chunks.get(entry)?.dynamicImports ?? []) {
          const module = chunks.get(next)?.facadeModuleId ?? "";
          if (wanted.test(module) || LANGUAGE.test(module)) reach(next, chunks, files);
        }
        let bytes = 0;
        for (const file of files) bytes += gzipSync(chunks.get(file)?.code ?? "").length;
        this.info(`script before the ${screen} can be used: ${Math.round(bytes / 1_000)} KB gzip`);
        if (bytes > MAX_BYTES) this.error(`more than ${MAX_BYTES / 1_000} KB gzip of script`);
      }
    },
  };
}
