/** What is the matter with a node, and since when. */

import { useI18n } from "vue-i18n";

import { usePreferences } from "../stores/preferences";
import { clockTime } from "../ui/format/time";
import type { ShownNode } from "./picture";
import { useWords } from "./words";

export function useStateText(): (node: ShownNode, nowMs: number) => string {
  const { t } = useI18n();
  const preferences = usePreferences();
  const words = useWords();
  return (node, nowMs) => {
    if (node.state === "draining" && node.live) return t("admin.node.leaving", node.live.sessions);
    if (node.sinceMs === null) return t(`admin.state.${node.state}`);
    return t(`admin.since.${node.state}`, {
      ago: words.duration(nowMs - node.sinceMs),
      time: clockTime(node.sinceMs, preferences.language),
    });
  };
}
