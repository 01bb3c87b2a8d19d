/** Where in the page one is: read from and written to the address's hash, so "back" works. */

import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";

import { isNumber } from "../core/ids";

export const SECTIONS = ["chats", "contacts", "groups", "settings"] as const;
export type Section = (typeof SECTIONS)[number];

export interface Place {
  readonly section: Section;
  /** What is open in the section: a conversation, a person, a group, a page of settings. */
  readonly id: string;
  /** A panel beside it. */
  readonly panel: string;
}

/** Reads `#/chats/123/info`; what is not understood is the list of conversations. */
export function parsePlace(hash: string): Place {
  const [section = "", id = "", panel = ""] = hash.replace(/^#?\/?/, "").split("/");
  const known = SECTIONS.find((one) => one === section);
  if (known === undefined || (known === "chats" && !isNumber(id))) return { section: "chats", id: "", panel: "" };
  return { section: known, id, panel };
}

/** The inverse of {@link parsePlace}. */
export function formatPlace(place: Place): string {
  const parts = [place.section, place.id, place.panel];
  return `#/${parts.slice(0, place.panel ? 3 : place.id ? 2 : 1).join("/")}`;
}

export const usePlace = defineStore("place", () => {
  const place = shallowRef(parsePlace(location.hash));
  const section = computed(() => place.value.section);
  const id = computed(() => place.value.id);
  const panel = computed(() => place.value.panel);
  const conversationId = computed(() => (section.value === "chats" ? id.value : ""));

  addEventListener("hashchange", () => {
    place.value = parsePlace(location.hash);
  });

  function go(section: Section, id = "", panel = ""): void {
    const next = { section, id, panel };
    // Set at once: hashchange comes only after the present task.
    place.value = next;
    if (location.hash !== formatPlace(next)) location.hash = formatPlace(next);
  }

  /** Goes on to what has been made or left, unless the person has gone elsewhere *from* there meanwhile. */
  function goOn(from: Place, section: Section, id = ""): void {
    if (formatPlace(from) === formatPlace(place.value)) go(section, id);
  }

  /** Up one level; on a phone this is "back". */
  function up(): void {
    const now = place.value;
    if (now.panel) go(now.section, now.id);
    else go(now.section);
  }

  return { place, section, id, panel, conversationId, go, goOn, up };
});
