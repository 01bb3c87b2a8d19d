/** The admin page's texts, beside those of the chat: under `admin.…`. */

import { openTexts, switchTexts, type PageTexts } from "../i18n";
import { toMessages } from "../i18n/messages";
import type { Language } from "../stores/preferences";
import { en } from "./texts_en";
import { zh } from "./texts_zh";

type Same<Texts> = { readonly [Key in keyof Texts]: Texts[Key] extends string ? string : Same<Texts[Key]> };
/** Every language has the texts of every other. */
export type AdminTexts = Same<typeof zh>;

export const TEXTS: Readonly<Record<Language, AdminTexts>> = { zh, en };

function merge(i18n: PageTexts, language: Language): void {
  // The chat's texts are typed; what is merged in is found by its path alone.
  i18n.global.mergeLocaleMessage(language, toMessages({ admin: TEXTS[language] }) as never);
}

export async function openAdminTexts(language: Language): Promise<PageTexts> {
  const i18n = await openTexts(language);
  merge(i18n, language);
  return i18n;
}

/** Show another language from now on. */
export async function switchAdminTexts(i18n: PageTexts, language: Language): Promise<void> {
  await switchTexts(i18n, language);
  merge(i18n, language);
}
