// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent } from "vue";

import { ChatError, ErrorCode, Kind, type Message } from "../../core/api";
import { useToasts } from "../../stores/toasts";
import { FRIEND, mountPage } from "../../../tests/mounting";
import { useTakeAway } from "./useTakeAway";

const MESSAGE: Message = {
  is: "message",
  key: "k",
  conversationId: FRIEND,
  seq: 7,
  kind: Kind.FILE,
  senderId: "10002",
  isOwn: false,
  sentAtMs: 0,
  content: {
    text: "hello",
    mentions: [],
    mentionsAll: false,
    media: { blobId: "b", name: "a.txt", mediaType: "", sizeBytes: 1, width: 0, height: 0, durationMs: 0 },
  },
  state: "sent",
};

async function mountIt(fetchFile: () => Promise<Blob>): Promise<ReturnType<typeof useTakeAway>> {
  let takeAway: ReturnType<typeof useTakeAway> | undefined;
  const Holder = defineComponent({
    setup() {
      takeAway = useTakeAway();
      return () => null;
    },
  });
  const { client } = await mountPage(Holder);
  client.fetchFile = fetchFile;
  await flushPromises();
  if (takeAway === undefined) throw new Error("not mounted");
  return takeAway;
}

describe("useTakeAway", () => {
  const copied = vi.fn<(text: string) => Promise<void>>();
  const saved: string[] = [];

  beforeEach(() => {
    copied.mockReset().mockResolvedValue();
    saved.length = 0;
    vi.stubGlobal("isSecureContext", true);
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(copied);
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      saved.push(this.download);
    });
  });

  it("copies what is selected, else all of it, and says so", async () => {
    const takeAway = await mountIt(async () => new Blob());
    expect(await takeAway("copy", MESSAGE, "ell")).toBe(true);
    expect(await takeAway("copy", MESSAGE, "")).toBe(true);
    expect(copied.mock.calls).toEqual([["ell"], ["hello"]]);
    expect(useToasts().toasts.map((one) => one.text)).toEqual(["Copied"]);
  });

  it("saves a file under its name", async () => {
    const takeAway = await mountIt(async () => new Blob(["x"]));
    expect(await takeAway("save", MESSAGE, "")).toBe(true);
    expect(saved).toEqual(["a.txt"]);
  });

  it("tells when there is nothing to save any more", async () => {
    const takeAway = await mountIt(() => Promise.reject(new ChatError(ErrorCode.MEDIA_NOT_FOUND)));
    await takeAway("save", MESSAGE, "");
    expect(saved).toEqual([]);
    expect(useToasts().toasts.map((one) => one.isError)).toEqual([true]);
  });

  it("leaves alone what it does not know", async () => {
    const takeAway = await mountIt(async () => new Blob());
    expect(await takeAway("recall", MESSAGE, "")).toBe(false);
  });
});
