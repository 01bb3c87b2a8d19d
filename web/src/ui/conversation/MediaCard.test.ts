// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";

import { ChatError, ErrorCode, Kind, type Media, type Message } from "../../core/api";
import { DemoClient } from "../../demo/client";
import { FRIEND, mountPage, type Mounted } from "../../../tests/mounting";
import MediaCard from "./MediaCard.vue";

const MEDIA: Media = {
  blobId: "ab".repeat(32),
  name: "<img src=x onerror=alert(1)>.png",
  mediaType: "image/png",
  sizeBytes: 2_000,
  width: 560,
  height: 280,
  durationMs: 4_200,
};

async function show(change: Partial<Message>, media: Partial<Media> = {}): Promise<Mounted> {
  const shown = { ...MEDIA, ...media };
  const message: Message = {
    is: "message",
    key: "m1",
    conversationId: FRIEND,
    seq: 1,
    kind: Kind.IMAGE,
    senderId: "10002",
    isOwn: false,
    sentAtMs: 0,
    content: { text: "", mentions: [], mentionsAll: false, media: shown },
    state: "sent",
    ...change,
  };
  const mounted = await mountPage(MediaCard, { media: shown, message });
  await vi.dynamicImportSettled();
  await flushPromises();
  return mounted;
}

describe("MediaCard", () => {
  it("shows a small picture in its shape", async () => {
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockResolvedValue(new Blob(["x"]));
    const { wrapper } = await show({});
    expect(fetchFile).toHaveBeenCalledWith({ is: "thumbnail", blobId: MEDIA.blobId });
    const picture = wrapper.get("img");
    expect([picture.attributes("width"), picture.attributes("height")]).toEqual(["280", "140"]);
    fetchFile.mockRestore();
  });

  it("says when a picture cannot be had, and tries again on a click", async () => {
    const gone = new ChatError(ErrorCode.CONNECTION_LOST);
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockRejectedValue(gone);
    const { wrapper } = await show({});
    expect(wrapper.text()).toContain("Cannot be shown");
    fetchFile.mockResolvedValue(new Blob(["x"]));
    await wrapper.get("button.picture").trigger("click");
    await flushPromises();
    expect(wrapper.find("img").exists()).toBe(true);
    fetchFile.mockRestore();
  });

  it("keeps showing what was on this machine when the server has it", async () => {
    const { wrapper, client } = await show({ state: "sending", seq: 0, file: new Blob(["x"]) }, { blobId: "" });
    const fetchFile = vi.spyOn(client, "fetchFile");
    const before = wrapper.get("img").attributes("src");
    const { message } = wrapper.props() as { message: Message };
    const { file: _, ...sent } = message;
    await wrapper.setProps({ media: MEDIA, message: { ...sent, state: "sent" } });
    await flushPromises();
    expect(wrapper.get("img").attributes("src")).toBe(before);
    expect(fetchFile).not.toHaveBeenCalled();
  });

  it("shows how far an upload is, and stops it", async () => {
    const { wrapper, client } = await show({ state: "sending", seq: 0, file: new Blob(["x"]) }, { blobId: "" });
    const discard = vi.spyOn(client, "discard").mockResolvedValue();
    client["events"].emit("upload", { conversationId: FRIEND, key: "m1", sentBytes: 500, sizeBytes: 2_000 });
    await flushPromises();
    expect(wrapper.get("progress").attributes("value")).toBe("25");
    await wrapper.get(".upload button").trigger("click");
    expect(discard).toHaveBeenCalledWith(FRIEND, "m1");
  });

  it("shows a file by name and size, as text", async () => {
    const { wrapper } = await show({ kind: Kind.FILE });
    expect(wrapper.find("img").exists()).toBe(false);
    expect(wrapper.text()).toContain(MEDIA.name);
  });

  it("fetches a voice message only when somebody wants to hear it", async () => {
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockResolvedValue(new Blob(["x"]));
    const { wrapper } = await show({ kind: Kind.VOICE });
    expect(wrapper.text()).toContain("4 s");
    expect(fetchFile).not.toHaveBeenCalled();
    await wrapper.get("button").trigger("click");
    await flushPromises();
    expect(fetchFile).toHaveBeenCalledWith({ is: "file", blobId: MEDIA.blobId });
    expect(wrapper.find("audio").exists()).toBe(true);
    fetchFile.mockRestore();
  });

  it("says that a file did not come down, and gets it on the next click", async () => {
    const lost = new ChatError(ErrorCode.CONNECTION_LOST);
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockRejectedValueOnce(lost);
    const { wrapper } = await show({ kind: Kind.FILE });
    await wrapper.get("button.file").trigger("click");
    await flushPromises();
    expect(wrapper.get("[role=status]").text()).toBe("Download failed Try again");
    fetchFile.mockResolvedValueOnce(new Blob(["x"]));
    await wrapper.get("button.file").trigger("click");
    await flushPromises();
    expect(wrapper.text()).not.toContain("Download failed");
    fetchFile.mockRestore();
  });

  it("says that a voice message did not come down, and offers to try again", async () => {
    const lost = new ChatError(ErrorCode.CONNECTION_LOST);
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockRejectedValueOnce(lost);
    const { wrapper } = await show({ kind: Kind.VOICE });
    await wrapper.get("button.icon-button").trigger("click");
    await flushPromises();
    fetchFile.mockResolvedValueOnce(new Blob(["x"]));
    await wrapper.get("button.again").trigger("click");
    await flushPromises();
    expect(fetchFile).toHaveBeenCalledTimes(2);
    expect(wrapper.find("audio").exists()).toBe(true);
    fetchFile.mockRestore();
  });

  it.each([
    [Kind.IMAGE, "button.picture"],
    [Kind.FILE, "button.file"],
    [Kind.VOICE, "button.icon-button"],
  ])("says that a file was removed, and offers nothing more (kind %i)", async (kind, selector) => {
    const removed = new ChatError(ErrorCode.MEDIA_NOT_FOUND);
    const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile").mockRejectedValue(removed);
    const { wrapper } = await show({ kind });
    if (kind !== Kind.IMAGE) await wrapper.get(selector).trigger("click");
    await flushPromises();
    expect(wrapper.text()).toContain("File was removed");
    expect(wrapper.text()).not.toContain("Try again");
    expect(wrapper.get(selector).attributes("disabled")).toBeDefined();
    fetchFile.mockRestore();
  });
});
