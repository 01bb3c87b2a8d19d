/** Server-sent events, read from a `fetch`: an EventSource cannot show an access token. */

/** Takes the text as it comes, in any pieces, and gives the data of each event that is whole. */
export class EventReader {
  #rest = "";

  feed(text: string): readonly string[] {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks
      .map((block) =>
        block
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart())
          .join("\n"),
      )
      .filter((data) => data !== "");
  }
}
