/** What can be asked of a server before anybody is logged in: a new account, a new password. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { Connection } from "./connection";
import type { Directory } from "./directory";
import { ChatError, ErrorCode, asChatError } from "./errors";
import { newId, type UserId } from "./ids";
import type { Registered } from "./model/people";
import { Request, type RequestKind } from "./wire/packets";

export interface DoorOptions {
  readonly directory: Directory;
  readonly agent: string;
  readonly language: string;
}

const TIMEOUT_MS = 30_000;

/** Every question has a connection of its own. */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** @throws ChatError what the server answered; CONNECTION_LOST, TIMED_OUT. */
  async register(nickname: string, password: string, inviteCode: string): Promise<Registered> {
    const request = { operationId: newId(), nickname, password, inviteCode };
    const ask = () => this.#ask(Request.REGISTER, request);
    // Whatever became of it, the operation id makes both one account.
    const { userId, recoveryCode } = await ask().catch((error: unknown) => {
      if (asChatError(error).code !== ErrorCode.CONNECTION_LOST) throw error;
      return ask();
    });
    return { userId, recoveryCode };
  }

  /** Returns the next recovery code. @throws ChatError as {@link register}. */
  async recoverPassword(userId: UserId, recoveryCode: string, newPassword: string): Promise<string> {
    const request = { userId, recoveryCode, newPassword };
    return (await this.#ask(Request.RECOVER_PASSWORD, request)).recoveryCode;
  }

  async #ask<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
  ): Promise<MessageShape<A>> {
    const connection = await this.#open();
    try {
      return await connection.request(kind, init, TIMEOUT_MS);
    } finally {
      connection.close();
    }
  }

  /** To the first unit that is there: until it is asked something, any other will do. */
  async #open(): Promise<Connection> {
    const { directory, agent, language } = this.#options;
    const { urls } = await directory.ways();
    const nothing = () => undefined;
    let error = new ChatError(ErrorCode.CONNECTION_LOST);
    for (const url of urls) {
      const reached = await Connection.open(url, { agent, language, onPush: nothing, onMissed: nothing }).catch(
        asChatError,
      );
      if (reached instanceof Connection) return reached;
      error = reached;
      directory.avoid(url);
    }
    throw error;
  }
}
