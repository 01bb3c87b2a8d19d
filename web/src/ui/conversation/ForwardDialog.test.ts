// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";

import { Kind, type Message } from "../../core/api";
import { useToasts } from "../../stores/toasts";
import { FRIEND, mountPage } from "../../../tests/mounting";
import ForwardDialog from "./ForwardDialog.vue";

const MEDIA = { blobId: "b", name: "a.png", mediaType: "image/png", sizeBytes: 1, width: 1, height: 1, durationMs: 0 };
const MESSAGE: Message = {
  is: "message",
  key: "k",
  conversationId: FRIEND,
  seq: 7,
  kind: Kind.IMAGE,
  senderId: "10002",
  isOwn: false,
  sentAtMs: 0,
  content: {
    text: "a.png",
    mentions: ["10001"],
    mentionsAll: false,
    media: MEDIA,
    quote: { seq: 1, senderId: "10001", excerpt: "?" },
  },
  state: "sent",
};

it("sends what a message says to whom is chosen, without whom it answered or called", async () => {
  const { wrapper, client } = await mountPage(ForwardDialog, { message: MESSAGE });
  const send = vi.spyOn(client, "send").mockImplementation(async () => MESSAGE);
  await wrapper.get("[role=combobox]").setValue("10003");
  await wrapper.get("[role=option]").trigger("click");
  await flushPromises();
  expect(send.mock.calls).toEqual([[expect.any(String), { text: "a.png", kind: Kind.IMAGE, media: MEDIA }]]);
  expect(wrapper.emitted("close")).toHaveLength(1);
  expect(useToasts().toasts).toHaveLength(1);
});
