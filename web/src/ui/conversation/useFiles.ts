/** Files that are chosen, pasted or dropped, until they are sent. */

import { onMounted, onUnmounted, ref, shallowRef, type Ref } from "vue";

import { useClient } from "../../stores/client";

const MAX_FILES = 9;

export interface ChosenFiles {
  readonly chosen: Ref<readonly File[]>;
  /** Files are being dragged over the page. */
  readonly isOver: Ref<boolean>;
  readonly add: (files: readonly File[]) => void;
  readonly remove: (file: File) => void;
  readonly clear: () => void;
}

export function useFiles(): ChosenFiles {
  const client = useClient();
  const chosen = shallowRef<readonly File[]>([]);
  const isOver = ref(false);

  function add(files: readonly File[]): void {
    chosen.value = [...chosen.value, ...files].slice(0, MAX_FILES);
  }

  function onDrag(event: DragEvent): void {
    if (!client.canUpload || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    isOver.value = true;
  }

  function onLeave(event: DragEvent): void {
    // Only leaving the window has nowhere to go to.
    if (event.relatedTarget === null) isOver.value = false;
  }

  function onDrop(event: DragEvent): void {
    if (!isOver.value) return;
    event.preventDefault();
    isOver.value = false;
    add([...(event.dataTransfer?.files ?? [])]);
  }

  onMounted(() => {
    addEventListener("dragover", onDrag);
    addEventListener("dragleave", onLeave);
    addEventListener("drop", onDrop);
  });
  onUnmounted(() => {
    removeEventListener("dragover", onDrag);
    removeEventListener("dragleave", onLeave);
    removeEventListener("drop", onDrop);
  });

  return {
    chosen,
    isOver,
    add,
    remove: (file) => {
      chosen.value = chosen.value.filter((one) => one !== file);
    },
    clear: () => {
      chosen.value = [];
    },
  };
}
