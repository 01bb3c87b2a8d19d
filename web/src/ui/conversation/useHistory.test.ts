// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import { defineComponent } from "vue";

import { ChatError, ErrorCode } from "../../core/api";
import { FRIEND, mountPage } from "../../../tests/mounting";
import { useHistory, type History } from "./useHistory";

async function open(): Promise<{ history: History; client: Awaited<ReturnType<typeof mountPage>>["client"] }> {
  let history: History | undefined;
  const { client } = await mountPage(
    defineComponent({
      setup() {
        history = useHistory(FRIEND);
        return () => null;
      },
    }),
    {},
    { messages: 200, answers: false },
  );
  if (history === undefined) throw new Error("not set up");
  return { history, client };
}

function seqs(history: History): number[] {
  return history.entries.value.map((one) => one.seq);
}

it("reads pages both ways from a message until there is no more", async () => {
  const { history } = await open();
  await history.open({ at: "around", seq: 100 });
  expect(seqs(history)).toContain(100);
  while (history.hasOlder.value) await history.older();
  while (history.hasNewer.value) await history.newer();
  expect(seqs(history)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

it("holds what arrives while a page is being read", async () => {
  const { history, client } = await open();
  const read = client.history.bind(client);
  client.history = async (...wanted) => {
    const page = await read(...wanted);
    client.arrive(FRIEND, "10002", "new");
    return page;
  };
  await history.open({ at: "end" });
  expect(seqs(history).slice(-2)).toEqual([200, 201]);
});

it("tells what happened from what was read", async () => {
  const { history, client } = await open();
  await history.open({ at: "end" });
  expect(history.isLive.value).toBe(false);
  client.arrive(FRIEND, "10002", "new");
  expect(history.isLive.value).toBe(true);
  await history.older();
  expect(history.isLive.value).toBe(false);
});

it("shows one's own message under one key from the first moment on", async () => {
  const { history, client } = await open();
  await history.open({ at: "end" });
  const message = await client.send(FRIEND, { text: "hi" });
  expect(history.entries.value.at(-1)).toMatchObject({ key: message.key, seq: 0, state: "sending" });
  await expect.poll(() => history.entries.value.at(-1)?.seq).toBe(201);
  expect(history.entries.value.filter((one) => one.key === message.key)).toHaveLength(1);
  await flushPromises();
});

it("does not bring back what was so during a page that never came", async () => {
  const { history, client } = await open();
  await history.open({ at: "end" });
  const read = client.history.bind(client);
  let fail: (error: Error) => void = () => undefined;
  client.history = () => new Promise((_, reject) => (fail = reject));
  const older = history.older();
  const message = await client.send(FRIEND, { text: "hi" });
  fail(new ChatError(ErrorCode.CONNECTION_LOST));
  await older;
  const stateOf = () => history.entries.value.flatMap((one) => (one.key === message.key && one.is === "message" ? one.state : []));
  await expect.poll(stateOf).toEqual(["sent"]);
  client.history = read;
  await history.older();
  expect(stateOf()).toEqual(["sent"]);
});
