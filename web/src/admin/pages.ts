/** A table in pages: forward by the last row's number, back by what was there before. */

import { ref, shallowRef, type Ref } from "vue";

import type { Rows } from "./api";

export interface Pages<Row> {
  readonly rows: Ref<readonly Row[]>;
  readonly hasNext: Ref<boolean>;
  readonly hasPrevious: Ref<boolean>;
  readonly isLoading: Ref<boolean>;
  readonly error: Ref<unknown>;
  /** From the first page on, with what is looked for now. */
  readonly first: () => Promise<void>;
  readonly next: () => Promise<void>;
  readonly previous: () => Promise<void>;
  /** The same page once more. */
  readonly again: () => Promise<void>;
}

/**
 * @param load a page after a number ("" for the first). Of loads that overtake each other the last
 * one asked for is shown.
 */
export function usePages<Row>(load: (after: string) => Promise<Rows<Row>>, idOf: (row: Row) => string): Pages<Row> {
  const rows = shallowRef<readonly Row[]>([]);
  const hasNext = ref(false);
  const hasPrevious = ref(false);
  const isLoading = ref(false);
  const error = shallowRef<unknown>();
  let path: readonly string[] = [""];
  let count = 0;

  async function show(wanted: readonly string[]): Promise<void> {
    const mine = ++count;
    isLoading.value = true;
    error.value = undefined;
    try {
      const page = await load(wanted.at(-1) ?? "");
      if (mine !== count) return;
      path = wanted;
      rows.value = page.rows;
      hasNext.value = page.more;
      hasPrevious.value = path.length > 1;
    } catch (caught) {
      if (mine === count) error.value = caught;
    } finally {
      if (mine === count) isLoading.value = false;
    }
  }

  async function next(): Promise<void> {
    const last = rows.value.at(-1);
    if (last !== undefined && hasNext.value) await show([...path, idOf(last)]);
  }

  async function previous(): Promise<void> {
    if (path.length > 1) await show(path.slice(0, -1));
  }

  return {
    rows,
    hasNext,
    hasPrevious,
    isLoading,
    error,
    first: () => show([""]),
    next,
    previous,
    again: () => show(path),
  };
}
