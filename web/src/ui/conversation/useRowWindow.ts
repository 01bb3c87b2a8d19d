/** Which rows of a conversation there are in the page: those in view, and a few around them. */

import { useVirtualizer, type Virtualizer } from "@tanstack/vue-virtual";
import { computed, type ComponentPublicInstance, type ComputedRef, type Ref } from "vue";

import type { ConversationType } from "../../core/api";
import { estimateHeight } from "./heights";
import type { Row } from "./rows";

/** So near to the newest row (in pixels) one is at the end, and stays there. */
export const AT_END = 60;
/** Rows beyond each edge: they are there before they are seen, and each costs time to make. */
const OVERSCAN = 4;

export interface RowWindow {
  readonly virtualizer: Ref<Virtualizer<HTMLElement, Element>>;
  readonly shown: ComputedRef<readonly { readonly row: Row; readonly index: number }[]>;
  /** Where the first of them begins, in pixels. */
  readonly offset: ComputedRef<number>;
  /** For the `ref` of a row's element, which names the row by `data-index`. */
  readonly measure: (element: Element | ComponentPublicInstance | null) => void;
}

export function useRowWindow(
  rows: () => readonly Row[],
  type: ConversationType,
  scroller: Ref<HTMLElement | null>,
): RowWindow {
  let widthPx = 0;
  const virtualizer = useVirtualizer<HTMLElement, Element>(
    computed(() => {
      // Asked for every row of every page that is read: past Vue's bookkeeping.
      const all = rows();
      return {
        count: all.length,
        getScrollElement: () => scroller.value,
        estimateSize: (index: number) => estimateHeight(all[index], type, widthPx),
        getItemKey: (index: number) => all[index]?.key ?? index,
        onChange: ({ scrollRect }: Virtualizer<HTMLElement, Element>) => {
          widthPx = scrollRect?.width ?? 0;
        },
        overscan: OVERSCAN,
        paddingStart: 16,
        paddingEnd: 16,
        anchorTo: "end" as const,
        scrollEndThreshold: AT_END,
      };
    }),
  );
  const items = computed(() => virtualizer.value.getVirtualItems());

  return {
    virtualizer,
    shown: computed(() => {
      const all = rows();
      return items.value.flatMap(({ index }) => {
        const row = all[index];
        return row === undefined ? [] : [{ row, index }];
      });
    }),
    offset: computed(() => items.value[0]?.start ?? 0),
    measure: (element) => {
      if (element instanceof HTMLElement) virtualizer.value.measureElement(element);
    },
  };
}
