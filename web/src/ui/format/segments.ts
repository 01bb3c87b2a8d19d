/**
 * Text cut into what it shows as: plain pieces, links, mentions. Nothing of it ever becomes markup:
 * pieces are text nodes, and a link's address is made here from its own text.
 */

export type Segment =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "link"; readonly text: string; readonly href: string }
  | { readonly is: "mention"; readonly text: string };

const LINK = /\bhttps?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]+/giu;
/** What ends a sentence after a link, rather than the link. */
const TRAILING = /[.,;:!?…]+$/u;

function trimLink(found: string): string {
  let link = found.replace(TRAILING, "");
  // A bracket that was not opened within the link closes one around it.
  while (link.endsWith(")") && !link.includes("(")) link = link.slice(0, -1).replace(TRAILING, "");
  return link;
}

/** The address, or nothing for what the browser would not take as http(s). */
function toHref(link: string): string | undefined {
  try {
    const { protocol, href } = new URL(link);
    return protocol === "http:" || protocol === "https:" ? href : undefined;
  } catch {
    return undefined;
  }
}

function cutMentions(text: string, names: readonly string[], into: Segment[]): void {
  let rest = text;
  while (rest !== "") {
    const hits = names
      .map((name) => ({ name, index: rest.indexOf(`@${name}`) }))
      .filter((hit) => hit.index >= 0)
      .sort((one, other) => one.index - other.index || other.name.length - one.name.length);
    const [first] = hits;
    if (first === undefined) break;
    if (first.index > 0) into.push({ is: "text", text: rest.slice(0, first.index) });
    into.push({ is: "mention", text: `@${first.name}` });
    rest = rest.slice(first.index + first.name.length + 1);
  }
  if (rest !== "") into.push({ is: "text", text: rest });
}

/** @param names whoever the message mentions, by all names that may stand for them. */
export function cutText(text: string, names: readonly string[] = []): Segment[] {
  const segments: Segment[] = [];
  const known = names.filter((name) => name !== "");
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimLink(match[0]);
    const href = toHref(link);
    if (href === undefined) continue;
    cutMentions(text.slice(end, match.index), known, segments);
    segments.push({ is: "link", text: link, href });
    end = match.index + link.length;
  }
  cutMentions(text.slice(end), known, segments);
  return segments;
}

const ONLY_EMOJI = /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Extended_Pictographic}|[\u200d\ufe0f\u20e3]|\p{Emoji_Modifier}|\p{Regional_Indicator}|\s)+$/u;

/** Up to three emoji and nothing else: they are shown large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length > 40 || !ONLY_EMOJI.test(text)) return false;
  return [...new Intl.Segmenter().segment(text.replaceAll(/\s/g, ""))].length <= 3;
}
