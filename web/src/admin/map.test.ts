import { expect, test } from "vitest";

import { areClose, isWithin, type Box } from "./layout";
import { draw, edgesOf, spotsOf, widthOf, type Drawing } from "./map";
import { groundsOf, shownNodes, type LiveNode, type Picture } from "./picture";
import { RateMeter } from "./rates";
import { figures, gone, node, picture } from "../../tests/cluster";

function linkTo(...others: string[]): { figures: ReturnType<typeof figures> } {
  const links = others.map((to) => ({ to, deliveries: 0, sends: 0, calls: 0, breaks: 0, waiting: 0 }));
  return { figures: figures({ links }) };
}

const NAMES = ["unit-", "vm-20261123-chat.example.com:71", "第三机房单元", "n"];
const WIDTHS = [296, 340, 420, 560, 760, 1040];
const KINDS = { storage: "mysql", registry: "zookeeper", presence: "redis" };

/** Everybody talks to everybody; each link at a rate of its own. */
function busy(count: number, prefix: string): { now: Picture; meter: RateMeter } {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  const at = (up: number): LiveNode[] =>
    names.map((unit, from) => {
      const links = names
        .map((to, index) => ({ to, deliveries: up * (from + index * 37), sends: 0, calls: 0, breaks: 0, waiting: 0 }))
        .filter((one) => one.to !== unit);
      const roles = from % 4 === 3 ? ["user"] : ["proxy", "chat"];
      return node(unit, { roles, figures: figures({ up_s: up, links, states: { presence: "away" } }) });
    });
  const meter = new RateMeter();
  meter.see(picture(at(1)));
  const now = picture(at(2), { kinds: KINDS });
  meter.see(now);
  return { now, meter };
}

function drawn(count: number, prefix: string, width: number): Drawing {
  const { now, meter } = busy(count, prefix);
  return draw({
    nodes: shownNodes(now),
    grounds: groundsOf(now),
    meter,
    width,
    say: (rate) => `${rate}/秒`,
    nameOf: (ground) => ground.kind,
  });
}

test("no label, name, node or service covers another, whatever the names and the width", () => {
  for (const prefix of NAMES) {
    for (const width of WIDTHS) {
      for (let count = 1; count <= 12; count++) {
        const { spots, labels, grounds, height } = drawn(count, prefix, width);
        const boxes: Box[] = [
          ...spots.flatMap((one) => [one.box, one.nameBox]),
          ...labels.map((one) => one.box),
          ...grounds.map((one) => one.box),
        ];
        const covered = boxes.filter((box, index) => boxes.slice(index + 1).some((other) => areClose(box, other)));
        expect(covered, `${count} nodes ${prefix} in ${width}`).toEqual([]);
        expect(boxes.every((box) => isWithin(box, width, height))).toBe(true);
      }
    }
  }
});

test("a cluster as people have it shows every name whole, and every busy link's figure", () => {
  for (const width of [340, 760]) {
    for (let count = 2; count <= 4; count++) {
      const { spots, labels, edges } = drawn(count, "unit-", width);
      expect(spots.map((one) => one.name)).toEqual(spots.map((one) => one.node.unit));
      expect(labels.length).toBe(edges.length);
    }
  }
});

test("names stay readable to the twelfth node on a phone", () => {
  expect(drawn(12, "unit-", 296).spots.every((one) => one.name.length >= 5)).toBe(true);
  expect(drawn(12, "unit-", 760).height).toBeLessThan(480);
});

test("every node has a place of its own inside the drawing, however many there are", () => {
  for (let count = 1; count <= 40; count++) {
    const nodes = Array.from({ length: count }, (_, index) => node(`n${index}`));
    const { spots, height } = spotsOf(shownNodes(picture(nodes)), 760);
    expect(new Set(spots.map((one) => `${one.x.toFixed(3)} ${one.y.toFixed(3)}`)).size).toBe(count);
    expect(spots.every((one) => isWithin(one.box, 760, height))).toBe(true);
  }
});

test("a link over which nothing goes has no figure", () => {
  const now = picture([node("a", linkTo("b")), node("b", linkTo("a"))]);
  const { edges, labels } = draw({
    nodes: shownNodes(now),
    grounds: [],
    meter: new RateMeter(),
    width: 760,
    say: String,
    nameOf: (ground) => ground.kind,
  });
  expect([edges.length, labels.length]).toEqual([1, 0]);
});

test("a service that nodes cannot reach is joined to them by a broken line", () => {
  const { spots, grounds } = drawn(3, "unit-", 760);
  expect(grounds.map((one) => [one.ground.name, one.brokenFrom.length])).toEqual([
    ["storage", 0],
    ["registry", 0],
    ["presence", spots.length],
  ]);
});

test("two nodes have one line, whoever opened the link", () => {
  const nodes = [node("a", linkTo("b")), node("b", linkTo("a")), node("c")];
  const edges = edgesOf(spotsOf(shownNodes(picture(nodes)), 760).spots, new RateMeter());
  expect(edges.map((one) => [one.key, one.isBroken])).toEqual([["a b", false]]);
});

test("a link to who does not answer or is gone is broken", () => {
  const nodes = [node("a", linkTo("b")), node("b", { silent_since_ms: 1 })];
  const [edge] = edgesOf(spotsOf(shownNodes(picture(nodes)), 760).spots, new RateMeter());
  expect(edge?.isBroken).toBe(true);
  const dead = picture([node("a", linkTo("b"))], { gone: [gone("b")] });
  const [lost] = edgesOf(spotsOf(shownNodes(dead), 760).spots, new RateMeter());
  expect(lost?.isBroken).toBe(true);
});

test("a line is wider the more goes over it", () => {
  expect(widthOf(0)).toBe(1);
  expect(widthOf(99)).toBe(3);
});
