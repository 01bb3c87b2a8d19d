/** The page's texts; a language is fetched when it is first needed. */

import { createI18n, type I18n } from "vue-i18n";

import type { Language } from "../stores/preferences";
import { toMessages } from "./messages";
import type { zh } from "./zh";

type Same<Texts> = { readonly [Key in keyof Texts]: Texts[Key] extends string ? string : Same<Texts[Key]> };
/** Every language has the texts of every other. */
export type Texts = Same<typeof zh>;

const LOADERS: Readonly<Record<Language, () => Promise<Texts>>> = {
  zh: async () => (await import("./zh")).zh,
  en: async () => (await import("./en")).en,
};

const TAGS: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en" };

export type PageTexts = I18n<{}, {}, {}, string, false>;

export function makeTexts(language: Language, texts: Texts): PageTexts {
  return createI18n<false>({
    legacy: false,
    locale: language,
    messages: { [language]: toMessages(texts) },
  }) as PageTexts;
}

export async function openTexts(language: Language): Promise<PageTexts> {
  document.documentElement.lang = TAGS[language];
  return makeTexts(language, await LOADERS[language]());
}

/** Show another language from now on. */
export async function switchTexts(i18n: PageTexts, language: Language): Promise<void> {
  if (!i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, toMessages(await LOADERS[language]()));
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = TAGS[language];
}
