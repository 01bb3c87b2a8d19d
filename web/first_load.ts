/** Weighs what a browser must fetch before the page can be used; too much fails the build. */

import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";

const MAX_BYTES = 170_000;

/** What is fetched at once, besides what the start itself imports: until somebody can type, and until
 * they see their conversations. */
const FIRST = {
  door: /i18n\/zh\.ts$|EntryPage/,
  conversations: /i18n\/zh\.ts$|EntryPage|Shell|ConversationPage/,
} as const;

interface Chunk {
  readonly code: string;
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
  readonly facadeModuleId: string | null;
}

/** What a script imports, and of what it fetches later the modules that are *wanted* at once. */
function reach(
  name: string,
  chunks: ReadonlyMap<string, Chunk>,
  wanted: RegExp,
  into = new Set<string>(),
): Set<string> {
  const chunk = chunks.get(name);
  if (chunk === undefined || into.has(name)) return into;
  into.add(name);
  for (const next of chunk.imports) reach(next, chunks, wanted, into);
  for (const next of chunk.dynamicImports) {
    if (wanted.test(chunks.get(next)?.facadeModuleId ?? "")) reach(next, chunks, wanted, into);
  }
  return into;
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
        let bytes = 0;
        for (const file of reach(entry, chunks, wanted)) bytes += gzipSync(chunks.get(file)?.code ?? "").length;
        this.info(`script before the ${screen} can be used: ${Math.round(bytes / 1_000)} KB gzip`);
        if (bytes > MAX_BYTES) this.error(`more than ${MAX_BYTES / 1_000} KB gzip of script`);
      }
    },
  };
}
