/** Pictures of a cluster, made up for tests. */

import type { Figures, GoneNode, LiveNode, Picture } from "../src/admin/picture";

export function figures(changes: Partial<Figures> = {}): Figures {
  return { at_ms: 0, up_s: 0, counters: {}, states: {}, links: [], ...changes };
}

const FACTS = {
  incarnation: "first",
  roles: ["proxy", "chat"],
  version: "1",
  sessions: 0,
  address: "",
  tcp: "",
  http: "",
};

export function node(unit: string, changes: Partial<LiveNode> = {}): LiveNode {
  return {
    ...FACTS,
    unit,
    load: 0,
    is_draining: false,
    silent_since_ms: null,
    figures: figures(),
    ...changes,
  };
}

export function gone(unit: string, changes: Partial<GoneNode> = {}): GoneNode {
  return { ...FACTS, unit, since_ms: 7, has_left: false, ...changes };
}

export function picture(nodes: readonly LiveNode[], changes: Partial<Picture> = {}): Picture {
  return { at_ms: 0, by: "a", kinds: {}, nodes, gone: [], ...changes };
}
