// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";

import { ChatError, ErrorCode, type OwnFile } from "../../core/api";
import { DemoClient } from "../../demo/client";
import { useToasts } from "../../stores/toasts";
import { mountPage, type Mounted } from "../../../tests/mounting";
import StorageSettings from "./StorageSettings.vue";

function file(number: number): OwnFile {
  return {
    blobId: String(number).repeat(64),
    name: `<b>${number}</b>.pdf`,
    mediaType: "application/pdf",
    sizeBytes: 1_000_000,
    hasThumbnail: false,
    addedAtMs: 0,
  };
}

async function show(): Promise<Mounted> {
  const mounted = await mountPage(StorageSettings, {});
  await flushPromises();
  return mounted;
}

describe("StorageSettings", () => {
  const ownFiles = vi.spyOn(DemoClient.prototype, "ownFiles");
  const deleteFile = vi.spyOn(DemoClient.prototype, "deleteFile");
  afterEach(() => {
    ownFiles.mockReset();
    deleteFile.mockReset();
  });

  it("shows how much of how much, and goes on page by page", async () => {
    ownFiles.mockResolvedValueOnce({ usedBytes: 3e6, quotaBytes: 12e6, files: [file(1), file(2)], next: "x" });
    ownFiles.mockResolvedValueOnce({ usedBytes: 3e6, quotaBytes: 12e6, files: [file(3)], next: "" });
    const { wrapper } = await show();
    expect(wrapper.text()).toContain("3.0 MB of 12.0 MB used");
    expect(wrapper.get("progress").attributes()).toMatchObject({ value: "3000000", max: "12000000" });
    expect(wrapper.findAll("li").map((row) => row.get(".cut").text())).toEqual(["<b>1</b>.pdf", "<b>2</b>.pdf"]);
    await wrapper.findAll("button").at(-1)?.trigger("click");
    await flushPromises();
    expect(ownFiles).toHaveBeenLastCalledWith("x");
    expect(wrapper.findAll("li")).toHaveLength(3);
  });

  it("deletes one after a question, and counts what is left", async () => {
    ownFiles.mockResolvedValue({ usedBytes: 3e6, quotaBytes: 0, files: [file(1), file(2)], next: "" });
    deleteFile.mockResolvedValue();
    const { wrapper } = await show();
    expect(wrapper.find("progress").exists()).toBe(false);
    const ask = vi.spyOn(useToasts(), "ask").mockResolvedValueOnce(false).mockResolvedValueOnce(true);
    for (const left of [2, 1]) {
      await wrapper.get("li button").trigger("click");
      await flushPromises();
      expect(wrapper.findAll("li")).toHaveLength(left);
    }
    expect(ask).toHaveBeenCalledTimes(2);
    expect(deleteFile.mock.calls).toEqual([[file(1).blobId]]);
    expect(wrapper.text()).toContain("2.0 MB used");
  });

  it("says what is wrong, and what will be here", async () => {
    ownFiles.mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST));
    expect((await show()).wrapper.get(".error").text()).not.toBe("");
    ownFiles.mockResolvedValueOnce({ usedBytes: 0, quotaBytes: 0, files: [], next: "" });
    expect((await show()).wrapper.text()).toContain("Nothing here yet");
  });
});
