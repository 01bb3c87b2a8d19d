// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";

import { usePreferences } from "../../stores/preferences";
import { mountPage } from "../../../tests/mounting";
import NotificationSettings from "./NotificationSettings.vue";

afterEach(() => vi.unstubAllGlobals());

/** A browser that asks the person, who answers so. */
function stubBrowser(answer: NotificationPermission): void {
  const browser = {
    permission: "default" as NotificationPermission,
    requestPermission: async () => (browser.permission = answer),
  };
  vi.stubGlobal("Notification", browser);
  vi.stubGlobal("isSecureContext", true);
}

it("is on once it is allowed, also where it was wanted before", async () => {
  stubBrowser("granted");
  const { wrapper } = await mountPage(NotificationSettings);
  usePreferences().notifies = true;
  await wrapper.vm.$nextTick();
  const toggle = wrapper.find("[role=switch]");
  expect(toggle.attributes("aria-checked")).toBe("false");
  await toggle.trigger("click");
  await vi.waitFor(() => expect(toggle.attributes("aria-checked")).toBe("true"));
});

it("says where to allow it when it was refused", async () => {
  stubBrowser("denied");
  const { wrapper } = await mountPage(NotificationSettings);
  const toggle = wrapper.find("[role=switch]");
  await toggle.trigger("click");
  await vi.waitFor(() => expect(wrapper.text()).toContain("The browser refuses"));
  expect(toggle.attributes("aria-checked")).toBe("false");
});
