/** What is the matter with a node, and since when. */

import { useI18n } from "vue-i18n";

import type { ShownNode } from "./picture";
import { useWords } from "./words";

export function useStateText(): (node: ShownNode, nowMs: number) => string {
  const { t } = useI18n();
  const words = useWords();
  return (node, nowMs) => {
    const state = t(`admin.state.${node.state}`);
    if (node.sinceMs === null) return state;
    return t("admin.since", { state, ago: words.duration(nowMs - node.sinceMs) });
  };
}
