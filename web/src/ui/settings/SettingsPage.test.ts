// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { usePlace } from "../../stores/place";
import { mountPage } from "../../../tests/mounting";
import SettingsPage from "./SettingsPage.vue";

it.each(["", "nowhere", "toString"])("shows the profile where %j leads nowhere", async (id) => {
  const { wrapper } = await mountPage(SettingsPage);
  usePlace().go("settings", id);
  await wrapper.vm.$nextTick();
  expect(wrapper.find("h1").text()).toBe("Profile");
});
