/** Files between two people, on a real server. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { Kind, type Message } from "../../src/core/api";
import type { RealChatClient } from "../../src/core/real";
import { Browser, isReady, next, until } from "./browser";
import { PYTHON, Server } from "./server";

const PASSWORD = "correct horse battery";
/** One red pixel. */
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

const LARGE = new Uint8Array(5_000_000).map((_, at) => at % 251);

describe.skipIf(!PYTHON)("files", () => {
  const server = new Server();
  const open: RealChatClient[] = [];

  beforeAll(async () => {
    await server.start();
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });
  afterAll(() => server.destroy());

  async function newcomer(nickname: string): Promise<{ client: RealChatClient; browser: Browser; id: string }> {
    const browser = new Browser(server.origin);
    const client = browser.open();
    open.push(client);
    const { userId } = await client.register(nickname, PASSWORD);
    await client.logIn(userId, PASSWORD);
    await until(client, isReady);
    return { client, browser, id: userId };
  }

  const arrival = async (client: RealChatClient, kind: number): Promise<Message> => {
    const event = await next(client, "entries", ({ entries }) =>
      entries.some((one) => one.kind === kind && one.seq > 0),
    );
    return event.entries.find((one) => one.kind === kind) as Message;
  };

  it("takes a picture, a voice message and a file to the other", async () => {
    const [ann, bob] = [await newcomer("安安"), await newcomer("Bob")];
    await ann.client.requestFriend(bob.id, "");
    await bob.client.answerFriend(ann.id, true);
    const chat = ann.client.conversationWith(bob.id);

    const picture = new Blob([Buffer.from(PIXEL, "base64")], { type: "image/png" });
    const seen = arrival(bob.client, Kind.IMAGE);
    const sent = await ann.client.sendFile(chat, picture, "点.png");
    expect(sent).toMatchObject({ state: "sending", kind: Kind.IMAGE });
    const media = (await seen).content.media;
    expect(media).toMatchObject({ name: "点.png", width: 1, height: 1, mediaType: "image/png" });
    const blobId = media?.blobId ?? "";
    const thumbnail = await bob.client.fetchFile({ is: "thumbnail", blobId });
    expect(thumbnail.type).toBe("image/webp");
    const original = await bob.client.fetchFile({ is: "file", blobId });
    expect(Buffer.from(await original.arrayBuffer()).toString("base64")).toBe(PIXEL);

    const large = new Blob([LARGE], { type: "application/zip" });
    const got = arrival(bob.client, Kind.FILE);
    const progress: number[] = [];
    ann.client.on("upload", ({ sentBytes }) => progress.push(sentBytes));
    await ann.client.sendFile(chat, large, "large.zip");
    expect((await got).content.media).toMatchObject({ sizeBytes: 5_000_000, name: "large.zip" });
    expect(progress.length).toBeGreaterThan(3);
    bob.browser.cutAfterBytes = 1_000_000;
    const { blobId: largeId = "" } = (await got).content.media ?? {};
    const fetched = await bob.client.fetchFile({ is: "file", blobId: largeId });
    expect(Buffer.from(await fetched.arrayBuffer()).equals(Buffer.from(LARGE))).toBe(true);
    expect(bob.browser.cutAfterBytes).toBeUndefined();

    const heard = arrival(bob.client, Kind.VOICE);
    const voice = new Blob(["sound"], { type: "audio/webm;codecs=opus" });
    await ann.client.sendFile(chat, voice, "voice.webm", { durationMs: 1_234.5 });
    expect((await heard).content.media?.durationMs).toBe(1_235);

    const stranger = await newcomer("Eve");
    await expect(stranger.client.fetchFile({ is: "file", blobId })).rejects.toMatchObject({
      codeName: "MEDIA_NOT_FOUND",
    });
  });

  it("shows what is no picture as failed, and why", async () => {
    const { client, id } = await newcomer("安安");
    const chat = client.conversationWith(id);
    const failed = next(client, "entries", ({ entries }) =>
      entries.some((one) => one.is === "message" && one.state === "failed"),
    );
    await client.sendFile(chat, new Blob(["no picture"], { type: "image/png" }), "x.png");
    expect((await failed).entries[0]).toMatchObject({ error: { codeName: "BAD_MEDIA" } });
  });

  it("goes on with an upload after a reload while the server was away", async () => {
    const { client, browser, id } = await newcomer("安安");
    const chat = client.conversationWith(id);
    await server.kill();
    await until(client, (state) => state.state === "waiting");
    await client.sendFile(chat, new Blob([new Uint8Array(300_000)]), "later.bin");
    client.close();
    await server.start();
    const again = browser.open();
    open.push(again);
    const there = arrival(again, Kind.FILE);
    await again.resume();
    expect((await there).content.media).toMatchObject({ name: "later.bin", sizeBytes: 300_000 });
  });

  it("keeps a picture of oneself, and shows it to others", async () => {
    const [ann, bob] = [await newcomer("安安"), await newcomer("Bob")];
    const picture = new Blob([Buffer.from(PIXEL, "base64")], { type: "image/png" });
    const profile = await ann.client.setAvatar(picture);
    expect(profile.avatar).toMatch(/^[0-9a-f]{64}$/);
    expect((await bob.client.profile(ann.id)).avatar).toBe(profile.avatar);
    const shown = await bob.client.fetchFile({ is: "avatar", userId: ann.id, blobId: profile.avatar });
    expect(shown.type).toBe("image/webp");
    expect((await ann.client.updateProfile({ avatar: "" })).avatar).toBe("");
  });
});
