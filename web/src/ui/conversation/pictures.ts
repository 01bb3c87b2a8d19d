/** Pictures: which there are, their sizes, and small ones of large ones. */

import type { InjectionKey } from "vue";

import { Kind, type Entry, type FileFacts, type Media } from "../../core/api";

/** The pictures of the conversation around, as far as it is loaded; ascending. */
export const picturesKey: InjectionKey<() => readonly Media[]> = Symbol("pictures");

/** The pictures among these that are on the server. */
export function picturesOf(entries: readonly Entry[]): Media[] {
  return entries.flatMap((one) => {
    const media = one.is === "message" && one.kind === Kind.IMAGE ? one.content.media : undefined;
    return media === undefined || media.blobId === "" ? [] : [media];
  });
}

/** Of a picture in a bubble. */
const MAX_PX = 280;
const MIN_PX = 72;
/** What is shown while the true size is not known. */
const UNKNOWN = { width: 200, height: 150 } as const;
const AVATAR_PX = 512;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How large a picture is shown: never larger than it is, but large enough to be hit. */
export function fitPicture(size: Size): Size {
  if (size.width <= 0 || size.height <= 0) return UNKNOWN;
  const scale = Math.min(1, MAX_PX / size.width, MAX_PX / size.height);
  const clamp = (px: number) => Math.max(MIN_PX, Math.round(px * scale));
  return { width: clamp(size.width), height: clamp(size.height) };
}

/** A picture's size; nothing for what is none. */
export async function measurePicture(file: Blob): Promise<FileFacts> {
  if (!file.type.startsWith("image/")) return {};
  try {
    const picture = await createImageBitmap(file);
    const { width, height } = picture;
    picture.close();
    return { width, height };
  } catch {
    return {};
  }
}

/** The middle of a picture as a square, for an avatar. @throws DOMException it cannot be read. */
export async function cutAvatar(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const side = Math.min(picture.width, picture.height);
  const px = Math.min(side, AVATAR_PX);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = px;
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  canvas.getContext("2d")?.drawImage(picture, left, top, side, side, 0, 0, px, px);
  picture.close();
  const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (small === null) throw new DOMException("no picture", "EncodingError");
  return small;
}
