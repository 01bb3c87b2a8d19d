/**
 * Taking out of pictures what is not the picture: where and when it was taken, by whom, with what.
 *
 * Nothing is decoded: parts of the file are left out, the rest is kept byte for byte. What stays is
 * what decides how it looks: the way up, the colour profile. The SDK does the same
 * (src/tinyqq/client/image_metadata.py); tests/conformance/vectors/image_metadata.json is run on both.
 */

import { readBlob } from "./blobs";

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_DROPPED: ReadonlySet<string> = new Set(["eXIf", "tEXt", "zTXt", "iTXt", "tIME", "caBX"]);
const EXIF = "Exif\0\0";
const ORIENTATION = 0x0112;
const SHORT = 3;
const VP8X_EXIF = 0x08;
const VP8X_XMP = 0x04;

/** It is not built as it says. */
class Unreadable extends Error {}

/** The picture alone, of a JPEG, PNG or WebP; what is anything else, is broken, or has nothing to
 * leave out comes back as it was. */
export function withoutMetadata(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const kept = piecesOf(image);
  if (kept === undefined) return image;
  const size = kept.reduce((sum, piece) => sum + piece.length, 0);
  return size < image.length ? joined(kept) : image;
}

/** The same for a file; its type stays. @throws ChatError FILE_UNREADABLE. */
export async function fileWithoutMetadata(file: Blob): Promise<Blob> {
  const image = new Uint8Array(await readBlob(file));
  const kept = withoutMetadata(image);
  if (kept === image) return file;
  return file instanceof File
    ? new File([kept], file.name, { type: file.type, lastModified: file.lastModified })
    : new Blob([kept], { type: file.type });
}

function piecesOf(image: Uint8Array): Uint8Array[] | undefined {
  try {
    if (image[0] === 0xff && image[1] === 0xd8) return jpeg(image);
    if (PNG.every((byte, at) => image[at] === byte)) return png(image);
    if (text(image, 0, 4) === "RIFF" && text(image, 8, 4) === "WEBP") return webp(image);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  return undefined;
}

// ---- JPEG (ITU T.81, annex B) ------------------------------------------------------------------

/** Segments, and what is coded between them, up to the end of the first image. */
function jpeg(image: Uint8Array): Uint8Array[] {
  const kept = [image.subarray(0, 2)];
  let at = 2;
  let isTurned = false;
  for (;;) {
    const start = at;
    while (image[at] === 0xff && image[at + 1] === 0xff) at++; // padding
    const marker = image[at + 1];
    if (image[at] !== 0xff || marker === undefined) throw new Unreadable();
    if (marker === 0xd9) {
      kept.push(image.subarray(at, at + 2));
      return kept;
    }
    const end = at + 2 + numberAt(image, at + 2, 2);
    if (end < at + 4 || end > image.length) throw new Unreadable();
    const body = image.subarray(at + 4, end);
    if (marker === 0xe1 && begins(body, EXIF) && !isTurned) {
      isTurned = true;
      const turned = onlyOrientation(body.subarray(EXIF.length));
      if (turned !== undefined) {
        const size = 2 + EXIF.length + turned.length;
        kept.push(joined([Uint8Array.of(0xff, 0xe1), bytesOf(size, 2), ascii(EXIF), turned]));
      }
    } else if (isKept(marker, body)) kept.push(image.subarray(start, end));
    at = end;
    if (marker === 0xda) {
      at = afterCoded(image, end);
      kept.push(image.subarray(end, at));
      // Cut off; it is shown as far as it goes.
      if (at === image.length) return kept;
    }
  }
}

function isKept(marker: number, body: Uint8Array): boolean {
  if (marker === 0xe0) return begins(body, "JFIF\0");
  if (marker === 0xe2) return begins(body, "ICC_PROFILE\0");
  if (marker === 0xee) return begins(body, "Adobe");
  return !((marker >= 0xe0 && marker <= 0xef) || marker === 0xfe);
}

/** Where the next marker is; zeros after FF, and restarts, belong to the coded data. */
function afterCoded(image: Uint8Array, from: number): number {
  for (let at = image.indexOf(0xff, from); at >= 0; at = image.indexOf(0xff, at + 2)) {
    const next = image[at + 1];
    if (next === undefined) break;
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return image.length;
}

// ---- PNG ---------------------------------------------------------------------------------------

function png(image: Uint8Array): Uint8Array[] {
  const kept = [image.subarray(0, PNG.length)];
  for (let at = PNG.length; ; ) {
    const name = text(image, at + 4, 4);
    const end = at + 12 + numberAt(image, at, 4);
    if (end > image.length) throw new Unreadable();
    if (name === "eXIf") {
      const turned = onlyOrientation(image.subarray(at + 8, end - 4));
      if (turned !== undefined) {
        const named = joined([ascii(name), turned]);
        kept.push(bytesOf(turned.length, 4), named, bytesOf(crc32(named), 4));
      }
    } else if (!PNG_DROPPED.has(name)) kept.push(image.subarray(at, end));
    if (name === "IEND") return kept;
    at = end;
  }
}

/** As PNG checks its chunks with. */
function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// ---- WebP --------------------------------------------------------------------------------------

function webp(image: Uint8Array): Uint8Array[] {
  const size = 8 + numberAt(image, 4, 4, true);
  if (size > image.length) throw new Unreadable();
  const chunks: Uint8Array[] = [];
  let flags = 0;
  for (let at = 12; at < size; ) {
    const name = text(image, at, 4);
    const length = numberAt(image, at + 4, 4, true);
    const end = at + 8 + length + (length % 2);
    if (end > size) throw new Unreadable();
    if (name === "EXIF") {
      const body = image.subarray(at + 8, at + 8 + length);
      const turned = onlyOrientation(begins(body, EXIF) ? body.subarray(EXIF.length) : body);
      if (turned !== undefined) {
        flags |= VP8X_EXIF;
        chunks.push(joined([ascii(name), bytesOf(turned.length, 4, true), turned]));
      }
    } else if (name !== "XMP ") chunks.push(image.subarray(at, end));
    at = end;
  }
  const [first] = chunks;
  if (first !== undefined && text(first, 0, 4) === "VP8X" && first.length > 8) {
    const head = first.slice();
    head[8] = ((first[8] ?? 0) & ~(VP8X_EXIF | VP8X_XMP)) | flags;
    chunks[0] = head;
  }
  const body = joined([ascii("WEBP"), ...chunks]);
  return [ascii("RIFF"), bytesOf(body.length, 4, true), body];
}

// ---- EXIF --------------------------------------------------------------------------------------

/** EXIF that says which way up it is, and nothing else; undefined where it is upright or unsaid. */
function onlyOrientation(tiff: Uint8Array): Uint8Array | undefined {
  const orientation = orientationOf(tiff);
  if (orientation < 2 || orientation > 8) return undefined;
  const entry = [bytesOf(ORIENTATION, 2), bytesOf(SHORT, 2), bytesOf(1, 4), bytesOf(orientation, 2)];
  const head = [ascii("MM\0*"), bytesOf(8, 4), bytesOf(1, 2)];
  return joined([...head, ...entry, new Uint8Array(6)]);
}

/** 0: it does not say. */
function orientationOf(tiff: Uint8Array): number {
  const order = text(tiff, 0, 4);
  if (order !== "II*\0" && order !== "MM\0*") return 0;
  const isLittle = order === "II*\0";
  try {
    const at = numberAt(tiff, 4, 4, isLittle);
    const count = numberAt(tiff, at, 2, isLittle);
    for (let entry = at + 2; entry < at + 2 + 12 * count; entry += 12) {
      const isIt =
        numberAt(tiff, entry, 2, isLittle) === ORIENTATION &&
        numberAt(tiff, entry + 2, 2, isLittle) === SHORT;
      if (isIt) return numberAt(tiff, entry + 8, 2, isLittle);
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  return 0;
}

// ---- bytes -------------------------------------------------------------------------------------

function numberAt(data: Uint8Array, at: number, size: 2 | 4, isLittle = false): number {
  if (at + size > data.length) throw new Unreadable();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return size === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
}

function bytesOf(number: number, size: 2 | 4, isLittle = false): Uint8Array {
  const data = new Uint8Array(size);
  const view = new DataView(data.buffer);
  if (size === 2) view.setUint16(0, number, isLittle);
  else view.setUint32(0, number, isLittle);
  return data;
}

/** Shorter where the data end. */
function text(data: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...data.subarray(at, at + length));
}

function ascii(words: string): Uint8Array {
  return Uint8Array.from(words, (one) => one.charCodeAt(0));
}

function begins(data: Uint8Array, words: string): boolean {
  return text(data, 0, words.length) === words;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}
