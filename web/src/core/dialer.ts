/** Coming in: by the first way that works, to a connection that is logged in. */

import { Connection, type ConnectionOptions } from "./connection";
import type { Credentials, Token } from "./credentials";
import type { Directory } from "./directory";
import { ChatError, ErrorClass, ErrorCode, asChatError } from "./errors";
import { Request } from "./wire/packets";

export interface DialerOptions extends Omit<ConnectionOptions, "openTimeoutMs"> {
  /** Who comes in. */
  readonly userId: string;
  readonly credentials: Credentials;
  readonly directory: Directory;
}

const OPEN_TIMEOUT_MS = 10_000;
/** The same where there is another way to try. */
const SHORT_TIMEOUT_MS = 3_000;
const LOG_IN_TIMEOUT_MS = 30_000;

/** Opens connections for one user; what becomes of them is the link's to see to. */
export class Dialer {
  readonly #options: DialerOptions;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * Try the units in turn until one answers, and log in there. One that does not answer, or is
   * leaving, is the directory's last choice for a while.
   *
   * @param urls WebSockets of units, the best first.
   * @param signal when it aborts no further unit is tried.
   * @param onReached called before the log-in, which ends the user's other session on this device.
   * @throws ChatError what the last unit said; CONNECTION_LOST, TIMED_OUT; NOT_LOGGED_IN: somebody
   *   else has logged in with this browser; UNAVAILABLE: the access token is no longer good.
   */
  async connect(
    urls: readonly string[],
    token: Token,
    signal: AbortSignal,
    onReached: () => void = () => undefined,
  ): Promise<Connection> {
    let error = new ChatError(ErrorCode.CONNECTION_LOST);
    for (const url of urls) {
      if (signal.aborted) break;
      const openTimeoutMs = url === urls.at(-1) ? OPEN_TIMEOUT_MS : SHORT_TIMEOUT_MS;
      const reached = await Connection.open(url, { ...this.#options, openTimeoutMs }).catch(asChatError);
      if (reached instanceof Connection) {
        onReached();
        return this.#logIn(reached, token);
      }
      error = reached;
      this.#options.directory.avoid(url);
    }
    throw error;
  }

  async #logIn(connection: Connection, { accessToken, deviceId }: Token): Promise<Connection> {
    const { credentials, directory, userId } = this.#options;
    const answer = await connection
      .request(Request.RESUME, { token: accessToken, deviceId }, LOG_IN_TIMEOUT_MS)
      .catch(asChatError);
    if (answer instanceof ChatError) {
      connection.close();
      if (answer.code === ErrorCode.DRAINING) directory.avoid(connection.url);
      if (answer.errorClass !== ErrorClass.UNAUTHENTICATED) throw answer;
      // Perhaps the access token alone is no longer good: at the next try the cookie decides.
      credentials.forget();
      throw new ChatError(ErrorCode.UNAVAILABLE);
    }
    if (answer.userId !== userId) {
      // Somebody else has logged in with this browser meanwhile.
      connection.close();
      throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    }
    credentials.renewed(answer.accessToken, Number(answer.accessExpiresAtMs));
    return connection;
  }
}
