/** What can be done with a message. */

import { Kind, type Conversation, type Message } from "../../core/api";
import { canCopyPicture } from "../parts/clipboard";
import type { IconName } from "../parts/icons";

export interface Action {
  readonly key:
    | "reply"
    | "copy"
    | "copyPicture"
    | "save"
    | "forward"
    | "mention"
    | "recall"
    | "retry"
    | "discard";
  readonly icon: IconName;
  readonly isGrave?: boolean;
}

/** After this only admins can take a message back. */
export const RECALL_MS = 120_000;

const FILE_KINDS: ReadonlySet<number> = new Set([Kind.IMAGE, Kind.FILE, Kind.VOICE]);

export interface ActionOptions {
  readonly nowMs: number;
  readonly type: Conversation["type"];
  /** May take back what members wrote. */
  readonly mayManage: boolean;
}

/** Whether there is anything; cheap, for every row that is drawn. */
export function hasActions(message: Message): boolean {
  return message.seq > 0 || message.kind === Kind.TEXT || message.file !== undefined;
}

/** What takes a message elsewhere. */
function listOnward({ kind, content }: Message): Action[] {
  const hasFile = content.media !== undefined && FILE_KINDS.has(kind);
  const onward: Action[] = [];
  if (hasFile && kind === Kind.IMAGE && canCopyPicture()) onward.push({ key: "copyPicture", icon: "copy" });
  if (hasFile) onward.push({ key: "save", icon: "save" });
  if (hasFile || kind === Kind.TEXT) onward.push({ key: "forward", icon: "forward" });
  return onward;
}

export function listActions(message: Message, options: ActionOptions): Action[] {
  if (message.state === "failed") {
    return [
      { key: "retry", icon: "retry" },
      { key: "copy", icon: "copy" },
      { key: "discard", icon: "trash", isGrave: true },
    ];
  }
  if (message.file !== undefined) return [{ key: "discard", icon: "trash", isGrave: true }];
  const actions: Action[] = [];
  if (message.seq > 0) actions.push({ key: "reply", icon: "reply" });
  if (message.kind === Kind.TEXT) actions.push({ key: "copy", icon: "copy" });
  if (message.seq > 0) actions.push(...listOnward(message));
  if (options.type === "group" && !message.isOwn) actions.push({ key: "mention", icon: "contacts" });
  const isEarly = message.isOwn && options.nowMs - message.sentAtMs < RECALL_MS;
  const mayRecall = isEarly || options.type === "self" || (options.type === "group" && options.mayManage);
  if (message.seq > 0 && mayRecall) actions.push({ key: "recall", icon: "recall", isGrave: true });
  return actions;
}
