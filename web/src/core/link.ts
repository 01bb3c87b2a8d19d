/** The connection to the server, kept up: coming in, coming back, moving, and the end of it. */

import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import { Backoff } from "./backoff";
import type { Connection } from "./connection";
import type { Credentials, Token } from "./credentials";
import { Dialer } from "./dialer";
import type { Directory } from "./directory";
import { ChatError, ErrorClass, ErrorCode, asChatError } from "./errors";
import type { Connection as ConnectionState } from "./model/connection";
import { Bell, pause } from "./pause";
import { KickReason, type GoAway, type Kicked } from "./wire/_pb/tinyqq/_pb/client_pb";
import type { Pushed, RequestKind } from "./wire/packets";
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
/** A connection that held this long was a good one: the next trouble starts with a short wait. */
const STABLE_MS = 10_000;
/** How often the access token is renewed while there are other units to move to: the node that
 * alone gets the cookie may be the one that dies. */
const RENEW_MS = 5 * 60_000;
/** A token that ends sooner is renewed by another log-in when the cookie cannot do it. */
const LOW_MS = 2 * RENEW_MS;
/** How soon moving is tried again. */
const MOVE_AGAIN_MS = 2_000;

/** See the module's comment. One link is one log-in: after the end make a new one. */
export class Link {
  readonly #options: LinkOptions;
  readonly #dialer: Dialer;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #failure: ChatError | undefined;
  #attempt = 0;
  #moving: Promise<void> | undefined;
  /** The connection whose successor logs in: the server takes it for replaced. */
  #left: Connection | undefined;
  /** It was, perhaps by its successor. */
  #kickOfLeft: Kicked | undefined;
  #successor: Connection | undefined;
  #isCutOff = false;
  #leaveTimer: ReturnType<typeof setTimeout> | undefined;
  #renewTimer: ReturnType<typeof setInterval> | undefined;
  /** Rings when there is a connection, and at the end of the link. */
  readonly #change = new Bell();
  /** Rings when the next try shall not be waited for. */
  readonly #alarm = new Bell();

  constructor(options: LinkOptions) {
    const { user, random } = options;
    this.#options = options;
    this.#backoff = new Backoff(random);
    this.#dialer = new Dialer({
      ...options,
      onPush: (push, connection) => this.#onPush(push, connection),
      onMissed: () => user.onMissed(),
    });
  }

  /** Begin, and go on until {@link stop}, a kick, or a log-in that is no longer good. */
  start(): void {
    void this.#run();
  }

  /** Do not wait for the next try; while it is up, find out whether it still is. */
  reconnect(): void {
    this.#alarm.ring();
    this.#connection?.probe();
  }

  /** End it from this side. Idempotent. */
  stop(): void {
    this.#finish(undefined, new ChatError(ErrorCode.NOT_LOGGED_IN));
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
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
        if (!connection.isClosed) await pause(pauseMs, this.#stopping.signal);
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
      await pause(waitMs, this.#stopping.signal);
      this.#tell({ state: "connecting", attempt: this.#attempt });
    }
    return this.#dialer.connect(urls, token, this.#stopping.signal);
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
    this.#change.ring();
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
    if (from === undefined || this.#moving !== undefined) return;
    this.#moving = this.#replace(from, url).finally(() => (this.#moving = undefined));
  }

  async #replace(from: Connection, url: string): Promise<void> {
    const { credentials, directory } = this.#options;
    const { signal } = this.#stopping;
    try {
      const token = await credentials.token();
      const { urls } = await directory.ways();
      const order = url === "" ? urls : [url, ...urls.filter((one) => one !== url)];
      const next = await this.#dialer.connect(order, token, signal, () => (this.#left = from));
      if (this.#isStopped) {
        next.close();
        return;
      }
      this.#successor = next;
      from.close();
    } catch (error) {
      asChatError(error); // it is tried again, as long as there is time
      if (this.#kickOfLeft !== undefined) this.#kicked(this.#kickOfLeft);
      else if (!from.isClosed) this.#leaveTimer = setTimeout(() => this.#move(url), MOVE_AGAIN_MS);
    } finally {
      this.#left = undefined;
      this.#kickOfLeft = undefined;
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
    await this.#alarm.wait(delayMs);
  }

  #onPush(push: Pushed, connection: Connection): void {
    if (push.$typeName === "tinyqq.v1.GoAway") this.#leave(push);
    else if (push.$typeName !== "tinyqq.v1.Kicked") this.#options.user.onPush(push);
    else if (connection === this.#left && push.reason === KickReason.REPLACED) this.#kickOfLeft = push;
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
    this.#stopping.abort();
    this.#failure = failure;
    this.#connection?.close();
    this.#successor?.close();
    this.#letGo();
    this.#alarm.ring();
    this.#change.ring();
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
      await this.#change.wait(leftMs);
    }
  }
}

/** Whether trying again is of no use. */
function isFinal(error: ChatError): boolean {
  return error.errorClass <= ErrorClass.CONFLICT || error.code === ErrorCode.VERSION_UNSUPPORTED;
}
