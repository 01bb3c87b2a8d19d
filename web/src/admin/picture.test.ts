import { expect, test } from "vitest";

import { groundsOf, isLastUnit, shownNodes } from "./picture";
import { figures, gone, node, picture } from "../../tests/cluster";

test("nodes are shown by name, wherever they went", () => {
  const shown = shownNodes(
    picture([node("unit-10"), node("unit-2", { silent_since_ms: 5 }), node("unit-1", { is_draining: true })], {
      gone: [gone("unit-3"), gone("unit-4", { has_left: true })],
    }),
  );
  expect(shown.map((one) => [one.unit, one.state])).toEqual([
    ["unit-1", "draining"],
    ["unit-2", "silent"],
    ["unit-3", "lost"],
    ["unit-4", "left"],
    ["unit-10", "ok"],
  ]);
  expect(shown.map((one) => one.sinceMs)).toEqual([null, 5, 7, 7, null]);
});

test("a node that leaves and does not answer is silent", () => {
  const [shown] = shownNodes(picture([node("a", { is_draining: true, silent_since_ms: 1 })]));
  expect(shown?.state).toBe("silent");
});

test("grounds tell who has trouble with them", () => {
  const grounds = groundsOf(
    picture(
      [
        node("a", { figures: figures({ states: { storage: "ok", registry: "ok", presence: "away" } }) }),
        node("b", { figures: figures({ states: { storage: "away", registry: "ok", presence: "ok" } }) }),
      ],
      { kinds: { storage: "mysql", registry: "zookeeper", presence: "redis" } },
    ),
  );
  expect(grounds).toEqual([
    { name: "storage", kind: "mysql", troubles: [{ unit: "b", state: "away" }] },
    { name: "registry", kind: "zookeeper", troubles: [] },
    { name: "presence", kind: "redis", troubles: [{ unit: "a", state: "away" }] },
  ]);
});

test("what a process has in its memory is no ground", () => {
  const alone = picture([node("a", { figures: figures({ states: { storage: "ok" } }) })], {
    kinds: { storage: "sqlite", registry: "memory", presence: "memory" },
  });
  expect(groundsOf(alone).map((one) => one.name)).toEqual(["storage"]);
});

test("the last unit is the one whose clients nobody would take", () => {
  const role = node("user-1", { roles: ["user"] });
  expect(isLastUnit(picture([node("a"), role]), "a")).toBe(true);
  expect(isLastUnit(picture([node("a"), role]), "user-1")).toBe(false);
  expect(isLastUnit(picture([node("a"), node("b")]), "a")).toBe(false);
  expect(isLastUnit(picture([node("a"), node("b", { is_draining: true })]), "a")).toBe(true);
});
