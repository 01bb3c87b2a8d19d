import { expect, test } from "vitest";

import type { Rows } from "./api";
import { usePages } from "./pages";

const ALL = ["1", "2", "3", "4", "5"];

async function load(after: string): Promise<Rows<string>> {
  const rows = ALL.filter((one) => one > after);
  return { rows: rows.slice(0, 2), more: rows.length > 2 };
}

test("pages go forward and back", async () => {
  const pages = usePages(load, (row) => row);
  await pages.first();
  expect([pages.rows.value, pages.hasPrevious.value, pages.hasNext.value]).toEqual([["1", "2"], false, true]);
  await pages.next();
  await pages.next();
  expect([pages.rows.value, pages.hasPrevious.value, pages.hasNext.value]).toEqual([["5"], true, false]);
  await pages.next();
  await pages.again();
  expect(pages.rows.value).toEqual(["5"]);
  await pages.previous();
  expect(pages.rows.value).toEqual(["3", "4"]);
  await pages.first();
  await pages.previous();
  expect(pages.rows.value).toEqual(["1", "2"]);
});

test("of answers that overtake each other the last one asked for is shown", async () => {
  const answers: ((rows: Rows<string>) => void)[] = [];
  const pages = usePages(
    () => new Promise<Rows<string>>((resolve) => answers.push(resolve)),
    (row) => row,
  );
  const [one, two] = [pages.first(), pages.first()];
  answers[1]?.({ rows: ["new"], more: false });
  answers[0]?.({ rows: ["old"], more: false });
  await Promise.all([one, two]);
  expect([pages.rows.value, pages.isLoading.value]).toEqual([["new"], false]);
});

test("what fails leaves the page as it was", async () => {
  let isAway = false;
  const pages = usePages(
    (after) => (isAway ? Promise.reject(new Error("away")) : load(after)),
    (row) => row,
  );
  await pages.first();
  isAway = true;
  await pages.next();
  expect([pages.rows.value, pages.error.value !== undefined]).toEqual([["1", "2"], true]);
  isAway = false;
  await pages.next();
  expect([pages.rows.value, pages.error.value]).toEqual([["3", "4"], undefined]);
});
