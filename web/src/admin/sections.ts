/** Where in the admin page one is: the address's hash, so that "back" works. */

import { onScopeDispose, ref, type Ref } from "vue";

export const SECTIONS = ["cluster", "charts", "users", "groups"] as const;
export type Section = (typeof SECTIONS)[number];

/** What is not understood is the cluster. */
export function parseSection(hash: string): Section {
  const wanted = hash.replace(/^#?\/?/, "");
  return SECTIONS.find((one) => one === wanted) ?? "cluster";
}

export function useSection(): { readonly section: Ref<Section>; readonly go: (to: Section) => void } {
  const section = ref(parseSection(location.hash));
  const follow = (): void => {
    section.value = parseSection(location.hash);
  };
  addEventListener("hashchange", follow);
  onScopeDispose(() => removeEventListener("hashchange", follow));
  return {
    section,
    go: (to) => {
      section.value = to;
      location.hash = `#/${to}`;
    },
  };
}
