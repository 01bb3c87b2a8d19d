/** Reading what the person has chosen: it lies on their disk, and may be gone by now. */

import { ChatError, ErrorCode } from "./errors";

/** @throws ChatError FILE_UNREADABLE: moved, deleted or changed since it was chosen. */
export async function readBlob(blob: Blob): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch {
    throw new ChatError(ErrorCode.FILE_UNREADABLE);
  }
}
