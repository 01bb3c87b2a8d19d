import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LockElection, TalkElection, type Candidate, type Election } from "./election";

/** Locks as the browser has them, as far as they are used here. */
class FakeLocks {
  #queue: (() => void)[] = [];
  #isHeld = false;

  async request(
    _name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    use: (lock: object | null) => Promise<void> | undefined,
  ): Promise<void> {
    if (this.#isHeld && options.ifAvailable) return use(null);
    if (this.#isHeld) {
      await new Promise<void>((resolve, reject) => {
        this.#queue.push(resolve);
        options.signal?.addEventListener("abort", () => {
          this.#queue = this.#queue.filter((one) => one !== resolve);
          reject(new Error("aborted"));
        });
      });
    }
    this.#isHeld = true;
    await use({});
    this.#isHeld = false;
    this.#queue.shift()?.();
  }
}

/** Writes down what it is told. */
class Tab implements Candidate {
  role = "";

  constructor(readonly election: Election) {
    election.start(this);
  }

  lead(): void {
    this.role = "leads";
  }

  follow(): void {
    this.role = "follows";
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("LockElection", () => {
  it("lets the first tab lead, and the next in line when it is gone", async () => {
    const locks = new FakeLocks() as unknown as LockManager;
    const tabs = [1, 2, 3].map(() => new Tab(new LockElection(locks, "x")));
    await settled();
    expect(tabs.map((one) => one.role)).toEqual(["leads", "follows", "follows"]);
    tabs[1]?.election.stop();
    tabs[0]?.election.stop();
    await settled();
    expect(tabs.map((one) => one.role)).toEqual(["leads", "follows", "leads"]);
  });
});

describe("TalkElection", () => {
  const channels: BroadcastChannel[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "setTimeout", "Date"] });
  });
  afterEach(() => {
    for (const channel of channels.splice(0)) channel.close();
    vi.useRealTimers();
  });

  function open(name: string): Tab {
    const channel = new BroadcastChannel("talk");
    channels.push(channel);
    vi.advanceTimersByTime(10);
    return new Tab(new TalkElection(channel, name));
  }

  /** Lets the channels deliver, and time pass. */
  async function pass(ms: number): Promise<void> {
    await deliver();
    await vi.advanceTimersByTimeAsync(ms);
    await deliver();
  }

  async function deliver(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  it("lets the newest tab lead", async () => {
    const tabs = [open("a"), open("b")];
    await pass(0);
    expect(tabs.map((one) => one.role)).toEqual(["follows", "leads"]);
  });

  it("lets one of the others lead when the leader says good-bye", async () => {
    const [first, second, last] = [open("a"), open("b"), open("c")];
    await pass(0);
    last.election.stop();
    await pass(400);
    expect([first.role, second.role].toSorted()).toEqual(["follows", "leads"]);
  });

  it("lets another lead when the leader falls silent", async () => {
    const [first, second] = [open("a"), open("b")];
    await pass(0);
    vi.spyOn(channels[1] as BroadcastChannel, "postMessage").mockImplementation(() => undefined);
    for (let turn = 0; turn < 6; turn++) await pass(2_000);
    expect(first.role).toBe("leads");
    expect(second.role).toBe("follows");
  });
});
