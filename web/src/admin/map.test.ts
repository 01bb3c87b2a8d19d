import { expect, test } from "vitest";

import { edgesOf, HEIGHT, spotsOf, widthOf } from "./map";
import { shownNodes } from "./picture";
import { RateMeter } from "./rates";
import { figures, gone, node, picture } from "./testing";

function linkTo(to: string): { figures: ReturnType<typeof figures> } {
  return { figures: figures({ links: [{ to, deliveries: 0, sends: 0, calls: 0, breaks: 0, waiting: 0 }] }) };
}

test("every node has a place of its own inside the drawing", () => {
  for (let count = 1; count <= 40; count++) {
    const names = Array.from({ length: count }, (_, index) => node(`n${index}`));
    const spots = spotsOf(shownNodes(picture(names)));
    expect(new Set(spots.map((one) => `${one.x.toFixed(3)} ${one.y.toFixed(3)}`)).size).toBe(count);
    expect(spots.every((one) => one.x > 5 && one.x < 95 && one.y > 5 && one.y < HEIGHT - 5)).toBe(true);
  }
});

test("two nodes have one line, whoever opened the link", () => {
  const nodes = [node("a", linkTo("b")), node("b", linkTo("a")), node("c")];
  const edges = edgesOf(spotsOf(shownNodes(picture(nodes))), new RateMeter());
  expect(edges.map((one) => [one.key, one.isBroken])).toEqual([["a b", false]]);
});

test("a link to who does not answer or is gone is broken", () => {
  const nodes = [node("a", linkTo("b")), node("b", { silent_since_ms: 1 })];
  const [edge] = edgesOf(spotsOf(shownNodes(picture(nodes))), new RateMeter());
  expect(edge?.isBroken).toBe(true);
  const [lost] = edgesOf(
    spotsOf(shownNodes(picture([node("a", linkTo("b"))], { gone: [gone("b")] }))),
    new RateMeter(),
  );
  expect(lost?.isBroken).toBe(true);
});

test("a line is wider the more goes over it", () => {
  expect(widthOf(0)).toBe(1);
  expect(widthOf(99)).toBe(3);
});
