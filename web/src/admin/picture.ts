/** What `/v1/admin/live` tells: the cluster as one node sees it. Names are those of the API. */

export interface LinkFigures {
  readonly to: string;
  readonly deliveries: number;
  readonly sends: number;
  readonly calls: number;
  readonly breaks: number;
  readonly waiting: number;
}

/** What a node tells of itself; counters are since its start, `up_s` seconds ago. */
export interface Figures {
  readonly at_ms: number;
  readonly up_s: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, string>>;
  readonly links: readonly LinkFigures[];
}

interface NodeFacts {
  readonly unit: string;
  readonly incarnation: string;
  readonly roles: readonly string[];
  readonly version: string;
  readonly sessions: number;
  readonly address: string;
  readonly tcp: string;
  readonly http: string;
}

export interface LiveNode extends NodeFacts {
  /** 0 idle … 1 full. */
  readonly load: number;
  readonly is_draining: boolean;
  /** Since when it does not answer the node that serves this page. */
  readonly silent_since_ms: number | null;
  readonly figures: Figures | null;
}

export interface GoneNode extends NodeFacts {
  readonly since_ms: number;
  /** It said before that it would go. */
  readonly has_left: boolean;
}

export interface Picture {
  readonly at_ms: number;
  /** Who tells. */
  readonly by: string;
  /** Which registry, presence and storage there is: `memory`, `zookeeper`, `mysql` … */
  readonly kinds: Readonly<Record<string, string>>;
  readonly nodes: readonly LiveNode[];
  readonly gone: readonly GoneNode[];
}

export type NodeState = "ok" | "draining" | "silent" | "lost" | "left";

/** A node on the page, alive or gone. */
export interface ShownNode {
  readonly unit: string;
  readonly state: NodeState;
  /** Of `silent`, `lost` and `left`. */
  readonly sinceMs: number | null;
  readonly facts: LiveNode | GoneNode;
  /** Undefined of one that is gone. */
  readonly live: LiveNode | undefined;
}

function stateOf(node: LiveNode): NodeState {
  if (node.silent_since_ms !== null) return "silent";
  return node.is_draining ? "draining" : "ok";
}

/** Everybody who is to be shown, by name: a node keeps its place when it dies. */
export function shownNodes(picture: Picture): readonly ShownNode[] {
  const live = picture.nodes.map(
    (node): ShownNode => ({
      unit: node.unit,
      state: stateOf(node),
      sinceMs: node.silent_since_ms,
      facts: node,
      live: node,
    }),
  );
  const gone = picture.gone.map(
    (node): ShownNode => ({
      unit: node.unit,
      state: node.has_left ? "left" : "lost",
      sinceMs: node.since_ms,
      facts: node,
      live: undefined,
    }),
  );
  return [...live, ...gone].sort((a, b) => a.unit.localeCompare(b.unit, "en", { numeric: true }));
}

/** Something that nodes stand on, and which of them have trouble with it. */
export interface Ground {
  readonly name: string;
  /** Empty: it has no kinds. */
  readonly kind: string;
  readonly troubles: readonly { readonly unit: string; readonly state: string }[];
}

const NAMES = ["storage", "registry", "presence", "net"] as const;

/** What the cluster stands on, but what a process has in its own memory. */
export function groundsOf(picture: Picture): readonly Ground[] {
  const states = picture.nodes.flatMap((node) =>
    Object.entries(node.figures?.states ?? {}).map(([name, state]) => ({ unit: node.unit, name, state })),
  );
  return NAMES.filter(
    (name) => states.some((one) => one.name === name) || (picture.kinds[name] ?? "memory") !== "memory",
  ).map((name) => ({
    name,
    kind: picture.kinds[name] ?? "",
    troubles: states
      .filter((one) => one.name === name && one.state !== "ok")
      .map(({ unit, state }) => ({ unit, state })),
  }));
}

/** Whether the node takes clients. */
export function isUnit(node: { readonly roles: readonly string[] }): boolean {
  return node.roles.includes("proxy");
}

const ALL_ROLES = 6;

/** Whether it does everything, so that its roles need not be listed. */
export function isWhole(node: { readonly roles: readonly string[] }): boolean {
  return node.roles.length >= ALL_ROLES;
}

/** Whether nobody else would take the clients of this one. */
export function isLastUnit(picture: Picture, unit: string): boolean {
  const node = picture.nodes.find((one) => one.unit === unit);
  if (node === undefined || !isUnit(node)) return false;
  return !picture.nodes.some((one) => one.unit !== unit && isUnit(one) && !one.is_draining);
}
