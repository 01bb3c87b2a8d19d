/** A long touch opens what a right click opens; moving or lifting early calls it off. */

import { onScopeDispose } from "vue";

const LONG_MS = 450;
const MAX_MOVE_PX = 8;

/** @param open where the finger is, and what it touched first. */
export function useLongPress(
  open: (x: number, y: number, target: EventTarget | null) => void,
): Readonly<Record<string, (event: PointerEvent) => void>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let start = { x: 0, y: 0 };

  function cancel(): void {
    clearTimeout(timer);
  }

  onScopeDispose(cancel);
  return {
    pointerdown: (event) => {
      cancel();
      if (event.pointerType === "mouse") return;
      const { clientX: x, clientY: y, target } = event;
      start = { x, y };
      timer = setTimeout(() => open(x, y, target), LONG_MS);
    },
    pointermove: (event) => {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > MAX_MOVE_PX) cancel();
    },
    pointerup: cancel,
    pointercancel: cancel,
  };
}
