/** The admin API. Every request shows the access token; a cookie opens nothing here. */

import type { Credentials } from "../core/credentials";
import { refusal } from "../core/credentials";
import { ChatError, ErrorCode } from "../core/errors";
import { EventReader } from "./events";
import type { HistoryAnswer } from "./history";
import type { Picture } from "./picture";

export interface UserRow {
  readonly user_id: string;
  readonly nickname: string;
  readonly is_bot: boolean;
  readonly is_admin: boolean;
  readonly is_disabled: boolean;
  readonly must_change_password: boolean;
  readonly created_at_ms: number;
  readonly last_seen_at_ms: number;
  /** Where they are online now. */
  readonly units: readonly string[];
}

export interface DeviceRow {
  readonly device_id: string;
  readonly kind: string;
  readonly name: string;
  readonly created_at_ms: number;
  readonly last_seen_at_ms: number;
}

export interface GroupRow {
  readonly group_id: string;
  readonly name: string;
  readonly owner_id: string;
  readonly members: number;
  readonly member_limit: number;
  readonly created_at_ms: number;
  readonly is_dismissed: boolean;
}

export interface MemberRow {
  readonly user_id: string;
  readonly nickname: string;
  readonly card: string;
  readonly role: string;
  readonly joined_at_ms: number;
}

/** One page of a table. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly more: boolean;
}

export interface Me {
  readonly user_id: string;
  readonly nickname: string;
}

const PAGE_ROWS = 20;
const TIMEOUT_MS = 20_000;
const UNAUTHENTICATED = 401;

/** Calls throw {@link ChatError}: what the server answered, or CONNECTION_LOST. */
export class AdminApi {
  constructor(
    private readonly origin: string,
    private readonly credentials: Credentials,
    private readonly fetcher: typeof fetch,
  ) {}

  me(): Promise<Me> {
    return this.#json<Me>("GET", "/me");
  }

  /** The last samples of every node. */
  history(samples: number): Promise<HistoryAnswer> {
    return this.#json<HistoryAnswer>("GET", `/history?samples=${samples}`);
  }

  async drain(unit: string, incarnation: string): Promise<void> {
    const start = new URLSearchParams({ incarnation });
    await this.#ask("POST", `/nodes/${encodeURIComponent(unit)}/drain?${start}`);
  }

  async users(query: string, after: string): Promise<Rows<UserRow>> {
    const answer = await this.#json<{ users: UserRow[]; more: boolean }>("GET", `/users?${page(query, after)}`);
    return { rows: answer.users, more: answer.more };
  }

  async devices(userId: string): Promise<readonly DeviceRow[]> {
    return (await this.#json<{ devices: DeviceRow[] }>("GET", `/users/${userId}/devices`)).devices;
  }

  async setDisabled(userId: string, isDisabled: boolean): Promise<void> {
    await this.#ask("POST", `/users/${userId}/${isDisabled ? "disable" : "enable"}`);
  }

  /** The new password; it is told this once. */
  async resetPassword(userId: string): Promise<string> {
    return (await this.#json<{ password: string }>("POST", `/users/${userId}/password`)).password;
  }

  async logOutUser(userId: string): Promise<void> {
    await this.#ask("POST", `/users/${userId}/log-out`);
  }

  async groups(query: string, after: string): Promise<Rows<GroupRow>> {
    const answer = await this.#json<{ groups: GroupRow[]; more: boolean }>("GET", `/groups?${page(query, after)}`);
    return { rows: answer.groups, more: answer.more };
  }

  async members(groupId: string, after: string): Promise<Rows<MemberRow>> {
    const path = `/groups/${groupId}/members?${page("", after)}`;
    const answer = await this.#json<{ members: MemberRow[]; more: boolean }>("GET", path);
    return { rows: answer.members, more: answer.more };
  }

  async dismiss(groupId: string): Promise<void> {
    await this.#ask("POST", `/groups/${groupId}/dismiss`);
  }

  /** Pictures, until the server ends the stream. One that falls silent is broken: a machine that
   * stands still closes no connection. */
  async live(onPicture: (picture: Picture) => void, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), TIMEOUT_MS);
    try {
      const response = await this.#ask("GET", "/live", AbortSignal.any([signal, silence.signal]));
      if (response.body === null) return;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const events = new EventReader();
      for (;;) {
        const { done, value } = await reader.read().catch(lost);
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), TIMEOUT_MS);
        for (const data of events.feed(value)) onPicture(JSON.parse(data) as Picture);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #json<Answer>(method: string, path: string): Promise<Answer> {
    const response = await this.#ask(method, path);
    return (await response.json().catch(lost)) as Answer;
  }

  async #ask(method: string, path: string, signal = AbortSignal.timeout(TIMEOUT_MS)): Promise<Response> {
    let response = await this.#request(method, path, signal);
    if (response.status === UNAUTHENTICATED) {
      // The token may be good no more though its time is not over: the cookie brings another one.
      this.credentials.forget();
      response = await this.#request(method, path, signal);
    }
    if (!response.ok) throw refusal(await response.json().catch(() => undefined));
    return response;
  }

  async #request(method: string, path: string, signal: AbortSignal): Promise<Response> {
    const token = await this.credentials.token();
    const fetcher = this.fetcher;
    return fetcher(`${this.origin}/v1/admin${path}`, {
      method,
      signal,
      headers: { Authorization: `Bearer ${token.accessToken}` },
    }).catch(lost);
  }
}

function lost(): never {
  throw new ChatError(ErrorCode.CONNECTION_LOST);
}

function page(query: string, after: string): URLSearchParams {
  return new URLSearchParams({ query, after: after || "0", limit: String(PAGE_ROWS) });
}
