/** Files: what messages say of them, and what an account has on the server. */

import type { UserId } from "../ids";

/** An image, file or voice message; the blob itself lies on the server. */
export interface Media {
  readonly blobId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
}

/** A file on the server: one that a message names, or the small picture of a user. */
export type FileRef =
  | { readonly is: "file" | "thumbnail"; readonly blobId: string }
  /** `blobId`: as {@link Profile.avatar} has it, so that a new one is not taken for the last. */
  | { readonly is: "avatar"; readonly userId: UserId; readonly blobId: string };

/** What the sender knows of a file. A sound with a duration is a voice message. */
export interface FileFacts {
  /** A picture, or whatever it is, goes as a mere file: byte for byte, with all that cameras write. */
  readonly isOriginal?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly durationMs?: number;
}

/** A file that the account has on the server. */
export interface OwnFile {
  readonly blobId: string;
  /** As it was called when it was uploaded; may be empty. */
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly hasThumbnail: boolean;
  readonly addedAtMs: number;
}

export interface OwnFiles {
  /** With what is on its way up. */
  readonly usedBytes: number;
  /** 0: any number. */
  readonly quotaBytes: number;
  /** The newest first. */
  readonly files: readonly OwnFile[];
  /** Where the next page begins; empty: that was the last one. */
  readonly next: string;
}

/** What may be uploaded. */
export interface FileLimits {
  readonly maxBytes: number;
  readonly maxPictureBytes: number;
}
