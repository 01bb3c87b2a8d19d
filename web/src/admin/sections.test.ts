import { expect, test } from "vitest";

import { parseSection } from "./sections";

test("the hash says where one is; what is not understood is the cluster", () => {
  expect(["#/users", "#groups", "", "#/", "#/nonsense"].map(parseSection)).toEqual([
    "users",
    "groups",
    "cluster",
    "cluster",
    "cluster",
  ]);
});
