/** Where nodes and links go in the drawing of the cluster. Pure; the drawing is 100 wide. */

import type { RateMeter } from "./rates";
import type { ShownNode } from "./picture";

export interface Spot {
  readonly node: ShownNode;
  readonly x: number;
  readonly y: number;
}

export interface Edge {
  readonly key: string;
  readonly from: Spot;
  readonly to: Spot;
  /** Everything that goes either way, per second. */
  readonly rate: number;
  /** One of the two does not answer, or is gone. */
  readonly isBroken: boolean;
}

/** Where on a link its figure stands: not in the middle, where links cross. */
export const LABEL_AT = 0.36;
export const HEIGHT = 46;
const CENTRE = { x: 50, y: HEIGHT / 2 };
const RADIUS = { x: 36, y: 15 };

/** On an ellipse, the first one on the left; a single one stands in the middle. */
export function spotsOf(nodes: readonly ShownNode[]): readonly Spot[] {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) return [{ node: only, ...CENTRE }];
  return nodes.map((node, index) => {
    const angle = Math.PI + (2 * Math.PI * index) / nodes.length;
    return { node, x: CENTRE.x + RADIUS.x * Math.cos(angle), y: CENTRE.y + RADIUS.y * Math.sin(angle) };
  });
}

/** One for each two nodes that have a link, whoever opened it. */
export function edgesOf(spots: readonly Spot[], meter: RateMeter): readonly Edge[] {
  const edges: Edge[] = [];
  spots.forEach((from, index) => {
    for (const to of spots.slice(index + 1)) {
      if (!hasLink(from.node, to.node.unit) && !hasLink(to.node, from.node.unit)) continue;
      edges.push({
        key: `${from.node.unit} ${to.node.unit}`,
        from,
        to,
        rate: total(meter, from.node.unit, to.node.unit) + total(meter, to.node.unit, from.node.unit),
        isBroken: [from, to].some((one) => one.node.state === "silent" || one.node.live === undefined),
      });
    }
  });
  return edges;
}

function hasLink(from: ShownNode, to: string): boolean {
  return from.live?.figures?.links.some((link) => link.to === to) ?? false;
}

function total(meter: RateMeter, from: string, to: string): number {
  const rates = meter.link(from, to);
  return rates.deliveries + rates.sends + rates.calls;
}

/** The width of a link's line: grows with the logarithm, 1 when nothing goes over it. */
export function widthOf(rate: number): number {
  return 1 + Math.log10(1 + rate);
}
