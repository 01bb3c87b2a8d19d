// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { describe, expect, it } from "vitest";

import { useSession } from "../../stores/session";
import { mountPage, type Mounted } from "../../../tests/mounting";
import EntryPage from "./EntryPage.vue";

async function enter(): Promise<Mounted> {
  return mountPage(EntryPage, {}, { isLoggedIn: false });
}

describe("the door", () => {
  it("says in words why a log-in is refused", async () => {
    const { wrapper } = await enter();
    const [number, password] = wrapper.findAll("input");
    await number?.setValue("10001");
    await password?.setValue("wrong-password");
    await wrapper.get("form").trigger("submit");
    await expect.poll(() => wrapper.find("[role=alert]").exists()).toBe(true);
    expect(wrapper.get("[role=alert]").text()).toBe("Wrong number or password.");
  });

  it("lets in whoever has the password", async () => {
    const { wrapper } = await enter();
    const [number, password] = wrapper.findAll("input");
    await number?.setValue(" 10001 ");
    await password?.setValue("correct horse");
    await wrapper.get("form").trigger("submit");
    await expect.poll(() => useSession().account?.userId).toBe("10001");
  });

  it("shows a new account's number and recovery code before it goes on", async () => {
    const { wrapper } = await enter();
    await wrapper.findAll(".others .link")[0]?.trigger("click");
    const [nickname, password] = wrapper.findAll("input");
    await nickname?.setValue("小满");
    await password?.setValue("correct horse");
    await wrapper.get("form").trigger("submit");
    await expect.poll(() => wrapper.text()).toContain("7K2M-QX4P-9DRT-HV3N");
    expect(wrapper.text()).toContain("10001");
    expect(useSession().account).toBeNull();
  });

  it("says what is wrong with a password", async () => {
    const { wrapper } = await enter();
    await wrapper.findAll(".others .link")[0]?.trigger("click");
    const [nickname, password] = wrapper.findAll("input");
    await nickname?.setValue("小满");
    await password?.setValue("short");
    await wrapper.get("form").trigger("submit");
    await flushPromises();
    await expect.poll(() => wrapper.text()).toContain("It is too short.");
  });
});
