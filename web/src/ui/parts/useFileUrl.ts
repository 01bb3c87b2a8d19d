/** A file's content as an address that elements can show. */

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";

import { ChatError, ErrorCode, type FileRef } from "../../core/api";
import { useClient } from "../../stores/client";
import { useSession } from "../../stores/session";

export interface FileUrl {
  /** Empty while it is on its way. */
  readonly url: Ref<string>;
  readonly hasFailed: Ref<boolean>;
  /** The server has it no more: there is nothing to try again. */
  readonly isRemoved: Ref<boolean>;
  readonly load: () => Promise<void>;
}

/**
 * @param wanted undefined: nothing, or not yet.
 * @param local what is on this machine already; its address stays when the server has it too.
 */
export function useFileUrl(
  wanted: () => FileRef | undefined,
  local: () => Blob | undefined = () => undefined,
): FileUrl {
  const client = useClient();
  const session = useSession();
  const url = shallowRef("");
  const hasFailed = ref(false);
  const isRemoved = ref(false);
  let isGone = false;
  let loading: Promise<void> | undefined;

  function show(file: Blob): void {
    URL.revokeObjectURL(url.value);
    url.value = isGone ? "" : URL.createObjectURL(file);
  }

  function load(): Promise<void> {
    loading ??= fetchOnce().finally(() => (loading = undefined));
    return loading;
  }

  async function fetchOnce(): Promise<void> {
    const file = wanted();
    if (file === undefined || url.value !== "") return;
    hasFailed.value = false;
    isRemoved.value = false;
    try {
      show(await client.fetchFile(file));
    } catch (error) {
      hasFailed.value = true;
      isRemoved.value = wasRemoved(error);
    }
  }

  watch(
    [local, () => wanted()?.blobId],
    ([file]) => {
      if (file !== undefined) show(file);
      else void load();
    },
    { immediate: true },
  );
  watch(
    () => session.connection.state,
    (state) => {
      if (state === "online" && hasFailed.value && !isRemoved.value) void load();
    },
  );
  onScopeDispose(() => {
    isGone = true;
    URL.revokeObjectURL(url.value);
  });
  return { url, hasFailed, isRemoved, load };
}

/** Whether a file that a message refers to was not there: who sees the message may see it, if it is. */
export function wasRemoved(error: unknown): boolean {
  return error instanceof ChatError && error.code === ErrorCode.MEDIA_NOT_FOUND;
}
