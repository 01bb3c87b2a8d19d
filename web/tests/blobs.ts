/** Files as the page meets them, for tests. */

/** One that was moved, changed or deleted after it was chosen. */
export class UnreadableBlob extends Blob {
  override async arrayBuffer(): Promise<ArrayBuffer> {
    throw new DOMException("could not be read", "NotReadableError");
  }

  override slice(): Blob {
    return new UnreadableBlob([this], { type: this.type });
  }
}
