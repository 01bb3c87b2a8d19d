/** Where nodes, links and texts go in the drawing of the cluster, in pixels. Pure. */

import {
  areClose,
  between,
  boxAround,
  crosses,
  cutMiddle,
  isWithin,
  textWidth,
  type Box,
  type Place,
} from "./layout";
import type { Ground, ShownNode } from "./picture";
import type { RateMeter } from "./rates";

export interface Spot extends Place {
  readonly node: ShownNode;
  /** As much of its name as there is room for. */
  readonly name: string;
  readonly nameBox: Box;
  readonly box: Box;
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

export interface Label {
  readonly key: string;
  readonly text: string;
  readonly box: Box;
}

/** A service that all share, below the nodes. */
export interface GroundSpot {
  readonly ground: Ground;
  readonly name: string;
  readonly box: Box;
  /** From whom the way to it is broken. */
  readonly brokenFrom: readonly Spot[];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly spots: readonly Spot[];
  readonly edges: readonly Edge[];
  readonly labels: readonly Label[];
  readonly grounds: readonly GroundSpot[];
}

export const NAME_PX = 12;
export const RATE_PX = 11;
export const RADIUS = 18;
const NAME_HEIGHT = 18;
const RATE_HEIGHT = 16;
const GROUND_HEIGHT = 28;
const EDGE = 6;
const APART = 4;
/** Names are cut, and then the drawing grows, until nothing covers anything. */
const NAME_WIDTHS = [150, 110, 84, 66, 52, 44];
const FEW = 3;
const HEIGHTS = { few: 190, first: 230, most: 720, step: 20 };
/** With many nodes there is no room for every figure. */
const MAX_LABELS = 12;
/** Where on a link its figure may stand, the best place first. */
const PARTS = [0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.22, 0.78];

/** What is drawn, and how it is said. */
export interface Scene {
  readonly nodes: readonly ShownNode[];
  readonly grounds: readonly Ground[];
  readonly meter: RateMeter;
  readonly width: number;
  /** A rate in words. */
  readonly say: (rate: number) => string;
  /** What a service is called. */
  readonly nameOf: (ground: Ground) => string;
}

export function draw(scene: Scene): Drawing {
  const { spots, height } = spotsOf(scene.nodes, scene.width);
  const grounds = groundSpotsOf(scene, spots, height);
  const edges = edgesOf(spots, scene.meter);
  const bottom = Math.max(height, ...grounds.map((one) => one.box.y + one.box.height + EDGE));
  return { width: scene.width, height: bottom, spots, edges, labels: labelsOf(edges, spots, scene.say), grounds };
}

/** On an ellipse, as low as names have room; a single one stands in the middle. */
export function spotsOf(
  nodes: readonly ShownNode[],
  width: number,
): { readonly spots: readonly Spot[]; readonly height: number } {
  const low = Math.max(HEIGHTS.first, Math.min(0.42 * width, 360));
  const tries: readonly (readonly [highest: number, nameWidths: readonly number[]])[] = [
    [low, NAME_WIDTHS],
    [HEIGHTS.most, NAME_WIDTHS],
    [HEIGHTS.most, [0]],
  ];
  for (const [highest, nameWidths] of tries) {
    for (const nameWidth of nameWidths) {
      for (let height = nodes.length > FEW ? HEIGHTS.first : HEIGHTS.few; height <= highest; height += HEIGHTS.step) {
        const spots = onEllipse(nodes, width, height, nameWidth);
        if (haveRoom(spots, width, height)) return { spots, height };
      }
    }
  }
  return { spots: onEllipse(nodes, width, HEIGHTS.most, 0), height: HEIGHTS.most };
}

function onEllipse(nodes: readonly ShownNode[], width: number, height: number, nameWidth: number): readonly Spot[] {
  const names = nodes.map((node) => cutMiddle(node.unit, nameWidth, NAME_PX));
  const widest = Math.max(0, ...names.map((name) => textWidth(name, NAME_PX)));
  const centre = { x: width / 2, y: height / 2 };
  const radius = {
    x: Math.min(centre.x - Math.max(widest / 2, RADIUS) - EDGE, 300),
    y: centre.y - RADIUS - NAME_HEIGHT - EDGE,
  };
  const places = nodes.length === 1 ? [centre] : evenly(nodes.length, centre, radius);
  return nodes.map((node, index) => {
    const { x, y } = places[index] ?? centre;
    const name = names[index] ?? "";
    // Outside the ring: the links are inside.
    const nameY = y + (y < centre.y - 1 ? -1 : 1) * (RADIUS + 1 + NAME_HEIGHT / 2);
    return {
      node,
      x,
      y,
      name,
      nameBox: boxAround({ x, y: nameY }, textWidth(name, NAME_PX), name ? NAME_HEIGHT : 0),
      box: boxAround({ x, y }, 2 * RADIUS, 2 * RADIUS),
    };
  });
}

const CORNERS = 720;

/** Places the same way apart along an ellipse; an odd number has its first at the top. */
function evenly(count: number, centre: Place, radius: Place): readonly Place[] {
  const start = count % 2 === 1 ? -Math.PI / 2 : Math.PI;
  const ring = Array.from({ length: CORNERS + 1 }, (_, index) => {
    const angle = start + (2 * Math.PI * index) / CORNERS;
    return { x: centre.x + radius.x * Math.cos(angle), y: centre.y + radius.y * Math.sin(angle) };
  });
  const ways = [0];
  ring.slice(1).forEach((one, index) => {
    const before = ring[index] ?? one;
    ways.push((ways.at(-1) ?? 0) + Math.hypot(one.x - before.x, one.y - before.y));
  });
  const whole = ways.at(-1) ?? 0;
  return Array.from({ length: count }, (_, index) => {
    const at = ways.findIndex((way) => way >= (whole * index) / count - 1e-9);
    return ring[at] ?? centre;
  });
}

function haveRoom(spots: readonly Spot[], width: number, height: number): boolean {
  const owned = spots.map((one) => [one.box, one.nameBox]);
  return owned.every(
    (mine, index) =>
      mine.every((box) => isWithin(box, width, height)) &&
      owned.slice(index + 1).every((other) => !mine.some((a) => other.some((b) => areClose(a, b, APART)))),
  );
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

/** Figures of the busiest links, each on its line where it covers nothing; without room: none. */
function labelsOf(edges: readonly Edge[], spots: readonly Spot[], say: (rate: number) => string): readonly Label[] {
  const taken: Box[] = spots.flatMap((one) => [one.box, one.nameBox]);
  const labels: Label[] = [];
  const busy = edges.filter((one) => one.rate > 0 && !one.isBroken).sort((a, b) => b.rate - a.rate);
  for (const edge of busy.slice(0, MAX_LABELS)) {
    const text = say(edge.rate);
    const width = textWidth(text, RATE_PX) + 2 * APART;
    const boxes = PARTS.map((part) => boxAround(between(edge.from, edge.to, part), width, RATE_HEIGHT));
    const free = boxes.filter((box) => !taken.some((other) => areClose(box, other, APART)));
    const costs = free.map((box) => edges.filter((one) => one !== edge && crosses(one.from, one.to, box)).length);
    const best = free[costs.indexOf(Math.min(...costs))];
    if (best === undefined) continue;
    taken.push(best);
    labels.push({ key: edge.key, text, box: best });
  }
  return labels;
}

/** In rows below the nodes, in the middle. */
function groundSpotsOf(
  { grounds, nameOf, width }: Scene,
  spots: readonly Spot[],
  top: number,
): readonly GroundSpot[] {
  const rows: { name: string; ground: Ground; size: number }[][] = [];
  let room = 0;
  for (const ground of grounds) {
    const name = nameOf(ground);
    const size = textWidth(name, NAME_PX) + 36;
    if (room < size + 2 * EDGE || rows.length === 0) {
      rows.push([]);
      room = width - 2 * EDGE;
    }
    rows.at(-1)?.push({ name, ground, size });
    room -= size + 2 * EDGE;
  }
  return rows.flatMap((row, line) => {
    const whole = row.reduce((all, one) => all + one.size, 0) + (row.length - 1) * 2 * EDGE;
    let x = (width - whole) / 2;
    return row.map(({ name, ground, size }) => {
      const box = { x, y: top + EDGE + line * (GROUND_HEIGHT + EDGE), width: size, height: GROUND_HEIGHT };
      x += size + 2 * EDGE;
      const units = ground.troubles.map((one) => one.unit);
      return { ground, name, box, brokenFrom: spots.filter((one) => units.includes(one.node.unit)) };
    });
  });
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
