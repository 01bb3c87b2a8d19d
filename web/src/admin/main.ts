/** The admin page's start. */

import "../styles/tokens.css";
import "../styles/base.css";

import { createPinia } from "pinia";
import { createApp, watch } from "vue";

import { Credentials } from "../core/credentials";
import { usePreferences } from "../stores/preferences";
import AdminApp from "./AdminApp.vue";
import { AdminApi } from "./api";
import { doorKey } from "./context";
import { openAdminTexts, switchAdminTexts } from "./texts";

async function start(): Promise<void> {
  const app = createApp(AdminApp);
  const pinia = createPinia();
  app.use(pinia);
  const preferences = usePreferences(pinia);
  const i18n = await openAdminTexts(preferences.language);
  watch(
    () => preferences.language,
    (language) => void switchAdminTexts(i18n, language),
  );
  const credentials = new Credentials(location.origin, fetch, { memory: localStorage });
  app.provide(doorKey, { credentials, api: new AdminApi(location.origin, credentials, fetch) });
  app.use(i18n);
  app.mount("#app");
}

void start();
