/** Copying: text also on plain http, where browsers have no clipboard for pages. */

/** True: it is on the clipboard. Never fails; the focus stays where it was. */
export async function copyText(text: string): Promise<boolean> {
  if (isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused, for instance without focus: the old way may still work.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  // Inside an open dialog only what is in it can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  const before = document.activeElement;
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}

/** Whether pictures can be: on https or this machine only. */
export function canCopyPicture(): boolean {
  return isSecureContext && typeof ClipboardItem === "function";
}

/** Clipboards know PNG only. @throws DOMException it cannot be read, or the browser refuses. */
export async function copyPicture(picture: Promise<Blob>): Promise<void> {
  // Promised: a browser that wants the press of a button does not wait for a download.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture.then(toPng) })]);
}

async function toPng(picture: Blob): Promise<Blob> {
  if (picture.type === "image/png") return picture;
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (png === null) throw new DOMException("no picture", "EncodingError");
  return png;
}
