/** Files that are chosen, pasted or dropped, until they are sent. */

import { onMounted, onUnmounted, ref, shallowRef, type Ref } from "vue";
import { useI18n } from "vue-i18n";

import { PICTURE_TYPES } from "../../core/files";
import { useClient } from "../../stores/client";
import { useToasts } from "../../stores/toasts";
import { formatSize } from "../format/size";

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
  const toasts = useToasts();
  const { t } = useI18n();
  const chosen = shallowRef<readonly File[]>([]);
  const isOver = ref(false);

  function add(files: readonly File[]): void {
    chosen.value = [...chosen.value, ...files].slice(0, MAX_FILES);
    void leaveOutLarge();
  }

  /** Told before it is tried; the server has the last word. */
  async function leaveOutLarge(): Promise<void> {
    const limits = await client.fileLimits().catch(() => undefined);
    if (limits === undefined) return;
    const maxOf = (file: File) => (PICTURE_TYPES.has(file.type) ? limits.maxPictureBytes : limits.maxBytes);
    const large = chosen.value.filter((file) => file.size > maxOf(file));
    if (large.length === 0) return;
    chosen.value = chosen.value.filter((file) => !large.includes(file));
    for (const file of large) {
      toasts.show(t("composer.tooLarge", { name: file.name, size: formatSize(maxOf(file)) }), true);
    }
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
