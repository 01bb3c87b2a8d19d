import { expect, test } from "vitest";

import { RateMeter } from "./rates";
import { figures, node, picture } from "../../tests/cluster";
import type { LiveNode } from "./picture";

function at(upS: number, sends: number, changes: Partial<LiveNode> = {}): LiveNode {
  const link = { to: "b", deliveries: 2 * sends, sends, calls: 0, breaks: 0, waiting: 0 };
  return node("a", { figures: figures({ up_s: upS, counters: { sends }, links: [link] }), ...changes });
}

test("a rate is what came in the node's own time", () => {
  const meter = new RateMeter();
  meter.see(picture([at(10, 100)]));
  expect(meter.counter("a", "sends")).toBe(0);
  meter.see(picture([at(12, 130)]));
  expect(meter.counter("a", "sends")).toBe(15);
  expect(meter.link("a", "b")).toEqual({ deliveries: 30, sends: 15, calls: 0 });
});

test("the same figures once more change nothing", () => {
  const meter = new RateMeter();
  meter.see(picture([at(10, 100)]));
  meter.see(picture([at(12, 130)]));
  meter.see(picture([at(12, 130)]));
  expect(meter.counter("a", "sends")).toBe(15);
  meter.see(picture([at(14, 130)]));
  expect(meter.counter("a", "sends")).toBe(0);
});

test("another start of a node begins anew", () => {
  const meter = new RateMeter();
  meter.see(picture([at(10, 100)]));
  meter.see(picture([at(12, 130)]));
  meter.see(picture([at(1, 500, { incarnation: "second" })]));
  expect(meter.counter("a", "sends")).toBe(0);
});

test("a link that was opened anew counts from nothing", () => {
  const meter = new RateMeter();
  meter.see(picture([at(10, 100)]));
  meter.see(picture([at(12, 8)]));
  expect(meter.link("a", "b").sends).toBe(4);
});

test("who has gone has no rate", () => {
  const meter = new RateMeter();
  meter.see(picture([at(10, 100)]));
  meter.see(picture([at(12, 130)]));
  meter.see(picture([]));
  expect(meter.counter("a", "sends")).toBe(0);
  expect(meter.link("a", "b").sends).toBe(0);
});

test("what all others ask of a node is added up, and what they deliver is not", () => {
  const calling = (unit: string, up: number, calls: number) =>
    node(unit, {
      figures: figures({ up_s: up, links: [{ to: "c", deliveries: 9 * up, sends: up, calls, breaks: 0, waiting: 0 }] }),
    });
  const meter = new RateMeter();
  meter.see(picture([calling("a", 1, 0), calling("b", 1, 0), node("c")]));
  meter.see(picture([calling("a", 3, 4), calling("b", 3, 6), node("c")]));
  expect([meter.asked("c"), meter.asked("a")]).toEqual([7, 0]);
});
