/** Logging in over HTTP: the refresh token stays in a cookie that no script can read. */

import { ChatError, ErrorCode } from "./errors";
import { fromHex } from "./ids";

/** What `/v1/session` answers. */
export interface WebSession {
  readonly userId: string;
  readonly nickname: string;
  readonly mustChangePassword: boolean;
}

/** By which a WebSocket is logged in. */
export interface Token {
  readonly accessToken: string;
  readonly deviceId: Uint8Array;
}

interface Answer {
  readonly user_id: string;
  readonly nickname: string;
  readonly must_change_password: boolean;
  readonly access_token: string;
  readonly access_expires_at_ms: number;
  readonly device_id: string;
}

const TIMEOUT_MS = 20_000;
/** Nobody who wants to leave waits longer for the server. */
const LEAVE_TIMEOUT_MS = 2_000;
/** A token that ends sooner is renewed before it is used. */
const MARGIN_MS = 30_000;
/** Set from the wish to log out until the server has heard it: the cookie is beyond a script's reach. */
const LEAVING = "tinyqq.leaving";

interface AskOptions {
  readonly body?: object;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface CredentialsOptions {
  /** Is told what every log-in says about the account. */
  readonly onSession?: (session: WebSession) => void;
  /** Outlives the page: keeps that the person has logged out while the server was away. */
  readonly memory?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
}

/** The log-in of this page; the access token is held in memory alone. */
export class Credentials {
  #token: Token | undefined;
  #freshUntilMs = 0;
  #resuming: Promise<WebSession> | undefined;
  /** The log-out that the server is being told of. */
  #leaving: AbortController | undefined;
  readonly #origin: string;
  readonly #fetch: typeof fetch;
  readonly #options: CredentialsOptions;

  constructor(origin: string, fetcher: typeof fetch, options: CredentialsOptions = {}) {
    this.#origin = origin;
    this.#fetch = fetcher;
    this.#options = options;
  }

  /** @throws ChatError what the server answered; CONNECTION_LOST. */
  async logIn(userId: string, password: string, deviceName: string): Promise<WebSession> {
    // Its answer takes the cookie away, whichever that is by then.
    this.#leaving?.abort();
    const body = { user_id: userId, password, device_name: deviceName };
    return this.#take(await this.#ask("POST", "/v1/session", { body }));
  }

  /** Log in by the cookie; who asks meanwhile gets the same. @throws ChatError as {@link logIn}. */
  resume(): Promise<WebSession> {
    this.#resuming ??= this.#resume().finally(() => (this.#resuming = undefined));
    return this.#resuming;
  }

  async #resume(): Promise<WebSession> {
    if (await this.finishLogOut()) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    return this.#take(await this.#ask("POST", "/v1/session/resume"));
  }

  /**
   * Forget the device, on the server too. When that does not answer soon it is told later, by
   * {@link finishLogOut}, and until then the cookie logs nobody in here.
   *
   * @throws ChatError as {@link logIn}.
   */
  async logOut(): Promise<void> {
    this.forget();
    this.#options.memory?.setItem(LEAVING, "yes");
    await this.#sayLogOut(LEAVE_TIMEOUT_MS);
  }

  /** Say again what the server may not have heard; whether there was something to say. */
  async finishLogOut(): Promise<boolean> {
    if (!this.#options.memory?.getItem(LEAVING)) return false;
    this.forget();
    await this.#sayLogOut(TIMEOUT_MS);
    return true;
  }

  async #sayLogOut(timeoutMs: number): Promise<void> {
    const leaving = (this.#leaving = new AbortController());
    await this.#ask("DELETE", "/v1/session", { timeoutMs, signal: leaving.signal });
    this.#options.memory?.removeItem(LEAVING);
  }

  /** A token that is good for a while. @throws ChatError as {@link logIn}. */
  async token(): Promise<Token> {
    if (this.#token === undefined || Date.now() >= this.#freshUntilMs) await this.resume();
    if (this.#token === undefined) throw new ChatError(ErrorCode.NOT_LOGGED_IN);
    return this.#token;
  }

  /** A WebSocket's log-in brought the next one. */
  renewed(accessToken: string, expiresAtMs: number): void {
    if (this.#token === undefined) return;
    this.#token = { ...this.#token, accessToken };
    this.#freshUntilMs = expiresAtMs - MARGIN_MS;
  }

  /** How long the access token is still good; at most 0: it is not. */
  get leftMs(): number {
    return this.#token === undefined ? 0 : this.#freshUntilMs - Date.now();
  }

  /** The access token is of no more use; one that has taken its place stays. */
  forget(accessToken = this.#token?.accessToken): void {
    if (this.#token?.accessToken === accessToken) this.#token = undefined;
  }

  #take(answer: Answer): WebSession {
    this.#token = { accessToken: answer.access_token, deviceId: fromHex(answer.device_id) };
    this.#freshUntilMs = answer.access_expires_at_ms - MARGIN_MS;
    const session = {
      userId: answer.user_id,
      nickname: answer.nickname,
      mustChangePassword: answer.must_change_password,
    };
    this.#options.memory?.removeItem(LEAVING);
    this.#options.onSession?.(session);
    return session;
  }

  async #ask(
    method: string,
    path: string,
    { body, timeoutMs = TIMEOUT_MS, signal }: AskOptions = {},
  ): Promise<Answer> {
    const response = await this.#request(`${this.#origin}${path}`, {
      method,
      credentials: "same-origin",
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      ...(body && {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refusal(answer);
    return answer as Answer;
  }

  async #request(url: string, options: RequestInit): Promise<Response> {
    const fetcher = this.#fetch;
    try {
      return await fetcher(url, options);
    } catch {
      throw new ChatError(ErrorCode.CONNECTION_LOST);
    }
  }
}

/** The problem details of a refusal as the error that they tell of. */
export function refusal(answer: unknown): ChatError {
  const { code, fields, retry_after_ms: retryAfterMs } = (answer ?? {}) as {
    readonly code?: number;
    readonly fields?: Record<string, string>;
    readonly retry_after_ms?: number;
  };
  // Without a code it was not our server that answered, but something before it.
  return new ChatError(code ?? ErrorCode.UNAVAILABLE, fields, retryAfterMs);
}
