// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import { defineComponent, h, provide } from "vue";

import { ChatError, ErrorCode, type Media } from "../../core/api";
import { DemoClient } from "../../demo/client";
import { mountPage } from "../../../tests/mounting";
import Lightbox from "./Lightbox.vue";
import { picturesKey } from "./pictures";

const [FIRST, SECOND, THIRD] = ["first", "second", "third"].map(
  (name): Media => ({
    blobId: name.repeat(4),
    name,
    mediaType: "image/png",
    sizeBytes: 1,
    width: 9,
    height: 9,
    durationMs: 0,
  }),
) as [Media, Media, Media];

async function open(media: Media, all = [FIRST, SECOND, THIRD]): Promise<() => string> {
  vi.spyOn(DemoClient.prototype, "fetchFile").mockResolvedValue(new Blob(["x"]));
  const page = defineComponent(() => {
    provide(picturesKey, () => all);
    return () => h(Lightbox, { media, small: "blob:small" });
  });
  await mountPage(page);
  return () => document.querySelector("dialog img")?.getAttribute("alt") ?? "";
}

async function press(key: string): Promise<void> {
  document.querySelector("dialog")?.dispatchEvent(new KeyboardEvent("keydown", { key }));
  await flushPromises();
}

it("walks over the conversation's pictures with arrows, and stops at the ends", async () => {
  const shown = await open(SECOND);
  expect(shown()).toBe("second");
  const seen: string[] = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"]) {
    await press(key);
    seen.push(shown());
  }
  expect(seen).toEqual(["third", "third", "second", "first", "first"]);
});

it("tells the same picture, sent twice, by its place", async () => {
  const again = { ...FIRST };
  const shown = await open(again, [FIRST, SECOND, again]);
  await press("ArrowLeft");
  expect(shown()).toBe("second");
});

it("says that the original did not come, shows the small one meanwhile, and tries again", async () => {
  await open(FIRST);
  const fetchFile = vi.spyOn(DemoClient.prototype, "fetchFile");
  fetchFile.mockClear().mockRejectedValueOnce(new ChatError(ErrorCode.CONNECTION_LOST));
  await press("ArrowRight");
  expect(fetchFile.mock.calls.map(([ref]) => ref.is)).toEqual(["file", "thumbnail"]);
  const failure = () => document.querySelector<HTMLElement>("dialog .failure");
  expect(failure()?.textContent).toContain("Could not load the original");
  failure()?.querySelector("button")?.click();
  await flushPromises();
  expect(failure()).toBeNull();
});

it("zooms in and out by keys, and shows the next one whole", async () => {
  await open(FIRST);
  const isZoomed = (): boolean => document.querySelector("dialog img.zoomed") !== null;
  const seen: boolean[] = [];
  for (const key of ["+", "-", "="]) {
    await press(key);
    seen.push(isZoomed());
  }
  expect(seen).toEqual([true, false, true]);
  expect(document.querySelector("dialog .side")).toBeNull();
});
