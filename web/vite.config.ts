import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

import { firstLoad } from "./first_load.ts";
import { keptParts } from "./kept_parts.ts";
import { precompress } from "./precompress.ts";

export default defineConfig(({ command }) => ({
  plugins: [vue(), firstLoad(), keptParts(), precompress()],
  define: {
    // Only what is used of vue-i18n.
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    // src/i18n/messages.ts reads the texts; its test compares it with the library's own reader.
    __INTLIFY_DROP_MESSAGE_COMPILER__: command === "build",
  },
  build: {
    outDir: "../src/tinyqq/_web",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows no inline anything.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Whoever chats does not fetch the admin page.
    rolldownOptions: { input: ["index.html", "admin.html"] },
  },
  server: {
    // `npm run dev` beside a running `tinyqq serve`.
    proxy: {
      "/v1": "http://127.0.0.1:7080",
      "/ws": { target: "ws://127.0.0.1:7080", ws: true },
    },
  },
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    // For the end of what hangs; a busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    setupFiles: ["tests/patience.ts"],
  },
}));
