// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";

import { ChatError, ErrorCode } from "../core/errors";
import Avatar from "../ui/parts/Avatar.vue";
import { mountPage } from "../testing/mounting";
import { usePeople } from "./people";

it("shows another name and picture as soon as it is told", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10002", name: "x" });
  vi.spyOn(client, "fetchFile").mockResolvedValue(new Blob(["x"], { type: "image/png" }));
  const people = usePeople();
  await vi.waitUntil(() => people.isLoaded);
  client.events.emit("profileChanged", { userId: "10002", nickname: "新名字", avatar: "ab" });
  await flushPromises();
  expect(people.nameOf("10002")).toBe("新名字");
  expect(people.contacts.get("10002")?.nickname).toBe("新名字");
  await vi.waitFor(() => expect(wrapper.find("img").exists()).toBe(true));
});

it("asks for nobody's profile who is among the contacts", async () => {
  const { client } = await mountPage(Avatar, { id: "10001", name: "x" });
  const people = usePeople();
  await vi.waitUntil(() => people.isLoaded);
  const profile = vi.spyOn(client, "profile");
  people.nameOf("10002");
  people.faceOf("10002");
  expect(profile).not.toHaveBeenCalled();
});

it("asks for a picture again when the connection is back", async () => {
  const { wrapper, client } = await mountPage(Avatar, { id: "10002", name: "x" });
  const fetchFile = vi.spyOn(client, "fetchFile");
  fetchFile.mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST));
  fetchFile.mockResolvedValue(new Blob(["x"], { type: "image/png" }));
  usePeople().learn([{ userId: "10002", nickname: "x", avatar: "ab" }]);
  await flushPromises();
  expect(wrapper.find("img").exists()).toBe(false);
  client.events.emit("connection", { state: "online", unitId: "two", isSyncing: false });
  await flushPromises();
  await vi.waitFor(() => expect(wrapper.find("img").exists()).toBe(true));
});
