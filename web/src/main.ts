/** The page's start: the client, the stores, the language, then the screens. */

import "./styles/tokens.css";
import "./styles/base.css";

import { createPinia } from "pinia";
import { createApp, watch } from "vue";

import { openClient } from "./client";
import { openTexts, switchTexts } from "./i18n";
import { keepPage } from "./offline";
import { clientKey } from "./stores/client";
import { usePreferences } from "./stores/preferences";
import App from "./ui/App.vue";

async function start(): Promise<void> {
  const app = createApp(App);
  const pinia = createPinia();
  app.use(pinia);
  const preferences = usePreferences(pinia);
  const [client, i18n] = await Promise.all([openClient(), openTexts(preferences.language)]);
  watch(
    () => preferences.language,
    (language) => void switchTexts(i18n, language),
  );
  app.provide(clientKey, client);
  app.use(i18n);
  app.mount("#app");
  if (import.meta.env.PROD) void keepPage().catch(() => undefined);
}

void start();
