/** Who was here last, for the next visit: no secret, and no proof of anything. */

import type { Account } from "./model/people";

const NAME = "tinyqq.account";

/** One account in the browser's memory. */
export class LastAccount {
  readonly #memory: Pick<Storage, "getItem" | "setItem" | "removeItem">;

  constructor(memory: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#memory = memory;
  }

  /** Undefined: nobody, or what is there cannot be read. */
  find(): Account | undefined {
    try {
      const saved: unknown = JSON.parse(this.#memory.getItem(NAME) ?? "null");
      const { userId, nickname } = saved as Partial<Account>;
      if (typeof userId !== "string" || typeof nickname !== "string") return undefined;
      return { userId, nickname, mustChangePassword: false };
    } catch {
      return undefined;
    }
  }

  remember(account: Account): void {
    this.#memory.setItem(NAME, JSON.stringify(account));
  }

  forget(): void {
    this.#memory.removeItem(NAME);
  }
}
