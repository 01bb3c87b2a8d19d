/** A file's content as an address that elements can show. */

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";

import type { FileRef } from "../../core/api";
import { useClient } from "../../stores/client";
import { useSession } from "../../stores/session";

export interface FileUrl {
  /** Empty while it is on its way. */
  readonly url: Ref<string>;
  readonly hasFailed: Ref<boolean>;
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
    try {
      show(await client.fetchFile(file));
    } catch {
      hasFailed.value = true;
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
      if (state === "online" && hasFailed.value) void load();
    },
  );
  onScopeDispose(() => {
    isGone = true;
    URL.revokeObjectURL(url.value);
  });
  return { url, hasFailed, load };
}
