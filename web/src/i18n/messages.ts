/** How this page's texts are read: the little that they need of what the library's own compiler can. */

import type { MessageContext, MessageFunction } from "vue-i18n";

export type TextTree = { readonly [key: string]: string | TextTree };
export type Messages = { [key: string]: MessageFunction | Messages };

/** `{name}` is filled in, `{'word'}` stands as it is. */
const PLACE = /\{(?:(\w+)|'([^']*)')\}/;
/** Parts one from many. */
const FORMS = " | ";

/** Make of every text what says it. */
export function toMessages(texts: TextTree): Messages {
  return Object.fromEntries(
    Object.entries(texts).map(([key, one]) => [key, typeof one === "string" ? toMessage(one) : toMessages(one)]),
  );
}

function toMessage(text: string): MessageFunction {
  // Of each form: plain words, a name or else a word that stands, plain words, and so on.
  const forms = text.split(FORMS).map((form) => form.split(PLACE) as readonly (string | undefined)[]);
  return ({ named, plural }: MessageContext) => {
    const said = forms.map((pieces) =>
      pieces.map((one, at) => (at % 3 === 1 && one !== undefined ? String(named(one) ?? "") : one)).join(""),
    );
    return said.length > 1 ? plural(said) : said.join("");
  };
}
