/** The connection to the server, kept up: coming in, coming back, moving, and the end of it. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type { Connection as ConnectionState } from "./api";
import { Backoff } from "./backoff";
import { Connection } from "./connection";
import type { Credentials, Token } from "./credentials";
import type { Directory } from "./directory";
import { ChatError, ErrorCode, asChatError } from "./errors";
import { KickReason, type GoAway, type Kicked } from "./wire/_pb/tinyqq/_pb/client_pb";
import { Request, type Pushed, type RequestKind } from "./wire/packets";
import { kickReasonOf } from "./wire/records";

/** Who is told what becomes of the link. */
export interface LinkUser {
  /** Logged in on a new connection. */
  onUp(connection: Connection): void;
  /** That connection is gone. */
  onDown(): void;
  /** Something that is not about the link itself. */
  onPush(push: Pushed): void;
  /** Pushes were lost. */
  onMissed(): void;
  /** Any change; `isSyncing` is the user's to know. */
  onState(state: ConnectionState): void;
}

export interface LinkOptions {
  /** Whose link it is. */
  readonly userId: string;
  readonly credentials: Credentials;
  readonly directory: Directory;
  readonly agent: string;
  readonly language: string;
  readonly user: LinkUser;
  readonly random?: () => number;
}

const REQUEST_TIMEOUT_MS = 30_000;
const OPEN_TIMEOUT_MS = 10_000;
/** The same where there is another way to try. */
const SHORT_TIMEOUT_MS = 3_000;
/** A connection that held this long was a good one: the next trouble starts with a short wait. */
const STABLE_MS = 10_000;
/** How often the access token is renewed while there are other units to move to: the node that
 * alone gets the cookie may be the one that dies. */
const RENEW_MS = 5 * 60_000;
/** A token that ends sooner is renewed by another log-in when the cookie cannot do it. */
const LOW_MS = 2 * RENEW_MS;
/** How soon moving is tried again. */
const MOVE_AGAIN_MS = 2_000;

/** One connection as the link knows it. */
interface Line {
  /** The next one is logging in: the server takes this one for replaced. */
  isLeft: boolean;
  /** It was replaced, perhaps by the next one. */
  kicked?: Kicked;
}

/** See the module's comment. One link is one log-in: after the end make a new one. */
export class Link {
  readonly #options: LinkOptions;
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  #isStopped = false;
  #failure: ChatError | undefined;
  #attempt = 0;
  readonly #lines = new WeakMap<Connection, Line>();
  #moving: Promise<void> | undefined;
  #successor: Connection | undefined;
  #isCutOff = false;
  #leaveTimer: ReturnType<typeof setTimeout> | undefined;
  #renewTimer: ReturnType<typeof setInterval> | undefined;
  /** Those who wait for a connection, or for its end. */
  #waiting: (() => void)[] = [];
  #wake: () => void = () => undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  /** Begin, and go on until {@link stop}, a kick, or a log-in that is no longer good. */
  start(): void {
    void this.#run();
  }

  /** Do not wait for the next try; while it is up, find out whether it still is. */
  reconnect(): void {
    this.#wake();
    this.#connection?.probe();
  }

  /** End it from this side. Idempotent. */
  stop(): void {
    this.#finish(undefined, new ChatError(ErrorCode.NOT_LOGGED_IN));
  }

  /** The connection that is logged in. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /**
   * Ask something as the user; waits while the link is down. The request is repeated on the next
   * connection when this one breaks: all that only reads or carries an operation id may be.
   *
   * @throws ChatError what the server answered; CONNECTION_LOST or TIMED_OUT when it took too long.
   */
  async call<Q extends DescMessage, A extends DescMessage>(
    kind: RequestKind<Q, A>,
    init: MessageInitShape<Q>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<MessageShape<A>> {
    const untilMs = performance.now() + timeoutMs;
    const backoff = new Backoff(this.#options.random);
    for (;;) {
      const connection = await this.#up(untilMs);
      try {
        return await connection.request(kind, init, untilMs - performance.now());
      } catch (reason) {
        const error = asChatError(reason);
        const pauseMs = backoff.nextMs(error.retryAfterMs);
        const isTooLate = performance.now() + pauseMs >= untilMs;
        if (!error.isForNow || isTooLate || error.code === ErrorCode.TIMED_OUT) throw error;
        if (!connection.isClosed) await pause(pauseMs);
      }
    }
  }

  // ---- keeping it up ---------------------------------------------------------------------------

  async #run(): Promise<void> {
    let next: Connection | undefined;
    while (!this.#isStopped) {
      try {
        next = await this.#stay(next ?? (await this.#enter()));
      } catch (error) {
        next = undefined;
        await this.#recover(asChatError(error));
      }
    }
    next?.close();
  }

  /** Connect by the first way that works, and log in. */
  async #enter(): Promise<Connection> {
    this.#attempt += 1;
    this.#tell({ state: "connecting", attempt: this.#attempt });
    this.#options.directory.prepare();
    const token = await this.#token();
    const { urls, waitMs } = await this.#options.directory.ways();
    if (waitMs > 0) {
      // Many come at once, and the units say when it is this one's turn.
      this.#tell({ state: "waiting", untilMs: Date.now() + waitMs, attempt: this.#attempt });
      await pause(waitMs);
      this.#tell({ state: "connecting", attempt: this.#attempt });
    }
    return this.#connect(urls, token);
  }

  async #token(): Promise<Token> {
    this.#isCutOff = false;
    try {
      return await this.#options.credentials.token();
    } catch (error) {
      // The cookie is for the page's own node alone, and without it no other lets anybody in.
      this.#isCutOff = asChatError(error).code === ErrorCode.CONNECTION_LOST;
      throw error;
    }
  }

  async #connect(
    urls: readonly string[],
    token: Token,
    onReached: () => void = () => undefined,
  ): Promise<Connection> {
    let error = new ChatError(ErrorCode.CONNECTION_LOST);
    for (const url of urls) {
      if (this.#isStopped) break;
      const timeoutMs = url === urls.at(-1) ? OPEN_TIMEOUT_MS : SHORT_TIMEOUT_MS;
      const connection = await this.#dial(url, timeoutMs).catch((reason: unknown) => {
        error = asChatError(reason);
        return undefined;
      });
      if (connection !== undefined) {
        onReached();
        return this.#logIn(connection, token);
      }
      this.#options.directory.avoid(url);
    }
    throw error;
  }

  async #dial(url: string, openTimeoutMs: number): Promise<Connection> {
    const { agent, language, user } = this.#options;
    const line: Line = { isLeft: false };
    const connection = await Connection.open(url, {
      agent,
      language,
      openTimeoutMs,
      onPush: (push) => this.#onPush(push, line),
      onMissed: () => user.onMissed(),
    });
    this.#lines.set(connection, line);
    return connection;
  }

  async #logIn(connection: Connection, { accessToken, deviceId }: Token): Promise<Connection> {
    const { credentials, userId } = this.#options;
    const resume = { token: accessToken, deviceId };
    const answer = await connection
      .request(Request.RESUME, resume, REQUEST_TIMEOUT_MS)
      .catch((reason: unknown) => asChatError(reason));
    if (answer instanceof ChatError) {
      connection.close();
      if (answer.code === ErrorCode.DRAINING) this.#options.directory.avoid(connection.url);
      if (answer.errorClass !== 2) throw answer;
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

  /** Returns the connection that takes over, if one does. */
  async #stay(connection: Connection): Promise<Connection | undefined> {
    if (this.#isStopped) {
      connection.close();
      return undefined;
    }
    const { user, directory } = this.#options;
    const sinceMs = performance.now();
    this.#connection = connection;
    this.#attempt = 0;
    this.#tell({ state: "online", unitId: connection.unitId, isSyncing: true });
    this.#wakeAll();
    user.onUp(connection);
    this.#renewTimer = setInterval(() => void this.#renew(), RENEW_MS);
    const error = await connection.closed;
    await this.#moving;
    this.#letGo();
    user.onDown();
    if (performance.now() - sinceMs >= STABLE_MS) this.#backoff.reset();
    const next = this.#successor;
    this.#successor = undefined;
    if (next !== undefined) return next;
    directory.avoid(connection.url);
    throw error;
  }

  // ---- moving ----------------------------------------------------------------------------------

  async #renew(): Promise<void> {
    const { credentials, directory } = this.#options;
    if (!directory.hasOthers) return;
    try {
      await credentials.resume();
    } catch (error) {
      // The page's own node is away. A log-in at any unit brings the next access token too.
      if (asChatError(error).isForNow && credentials.leftMs < LOW_MS) this.#move("");
    }
  }

  /** Come in elsewhere while the present connection still serves, then let go of that. */
  #move(url: string): void {
    const from = this.#connection;
    const line = from && this.#lines.get(from);
    if (from === undefined || line === undefined || this.#moving !== undefined) return;
    this.#moving = this.#replace(from, line, url).finally(() => (this.#moving = undefined));
  }

  async #replace(from: Connection, line: Line, url: string): Promise<void> {
    const { credentials, directory } = this.#options;
    try {
      const token = await credentials.token();
      const { urls } = await directory.ways();
      const order = url === "" ? urls : [url, ...urls.filter((one) => one !== url)];
      const next = await this.#connect(order, token, () => (line.isLeft = true));
      if (this.#isStopped) {
        next.close();
        return;
      }
      this.#successor = next;
      from.close();
    } catch (error) {
      asChatError(error); // it is tried again, as long as there is time
      line.isLeft = false;
      if (line.kicked !== undefined) this.#kicked(line.kicked);
      else if (!from.isClosed) this.#leaveTimer = setTimeout(() => this.#move(url), MOVE_AGAIN_MS);
    }
  }

  /** Wait for the next try, or end. */
  async #recover(error: ChatError): Promise<void> {
    if (this.#isStopped) return;
    if (isFinal(error)) {
      this.#finish({ state: "ended", error }, error);
      return;
    }
    const delayMs = this.#backoff.nextMs(error.retryAfterMs);
    const untilMs = Date.now() + delayMs;
    const elsewhere = this.#isCutOff ? this.#options.directory.otherPages : [];
    this.#tell({ state: "waiting", untilMs, attempt: this.#attempt, elsewhere });
    await this.#sleep(delayMs);
  }

  #onPush(push: Pushed, line: Line): void {
    if (push.$typeName === "tinyqq.v1.GoAway") this.#leave(push);
    else if (push.$typeName !== "tinyqq.v1.Kicked") this.#options.user.onPush(push);
    else if (line.isLeft && push.reason === KickReason.REPLACED) line.kicked = push;
    else this.#kicked(push);
  }

  #leave({ afterMs, url }: GoAway): void {
    clearTimeout(this.#leaveTimer);
    const leaving = this.#connection?.url;
    this.#leaveTimer = setTimeout(() => {
      if (leaving !== undefined) this.#options.directory.avoid(leaving);
      this.#move(url);
    }, afterMs);
  }

  #kicked({ reason, deviceName }: Kicked): void {
    const state = { state: "kicked", reason: kickReasonOf(reason), deviceName } as const;
    this.#finish(state, new ChatError(ErrorCode.NOT_LOGGED_IN));
  }

  #finish(state: ConnectionState | undefined, failure: ChatError): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#failure = failure;
    this.#connection?.close();
    this.#successor?.close();
    this.#letGo();
    this.#wake();
    this.#wakeAll();
    if (state !== undefined) this.#options.user.onState(state);
  }

  #letGo(): void {
    this.#connection = undefined;
    clearTimeout(this.#leaveTimer);
    clearInterval(this.#renewTimer);
  }

  #tell(state: ConnectionState): void {
    if (!this.#isStopped) this.#options.user.onState(state);
  }

  // ---- waiting ---------------------------------------------------------------------------------

  async #up(untilMs: number): Promise<Connection> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#connection !== undefined && !this.#connection.isClosed) return this.#connection;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new ChatError(ErrorCode.CONNECTION_LOST);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether trying again is of no use. */
function isFinal(error: ChatError): boolean {
  return error.errorClass <= 5 || error.code === ErrorCode.VERSION_UNSUPPORTED;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
