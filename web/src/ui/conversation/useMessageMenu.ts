/** The menu of a message: one for the whole history, whose rows only carry a button for it. */

import { shallowRef, type ShallowRef } from "vue";
import { useI18n } from "vue-i18n";

import type { Message } from "../../core/api";
import { useGroups } from "../../stores/groups";
import type { MenuItem } from "../parts/Menu.vue";
import { useLongPress } from "../parts/useLongPress";
import { listActions } from "./actions";
import type { ConversationIdentity } from "./rows";

export interface MessageMenu {
  readonly message: Message;
  /** What of its text is selected; opening the menu takes the selection away. */
  readonly selected: string;
  readonly items: readonly MenuItem[];
  readonly at: { readonly x: number; readonly y: number };
}

export interface MessageMenus {
  /** The one that is open. */
  readonly menu: ShallowRef<MessageMenu | undefined>;
  readonly close: () => void;
  /** For the element around the rows, by event. */
  readonly listeners: Readonly<Record<string, (event: never) => void>>;
}

/** @param messageAt the message of the row that an element is in. */
export function useMessageMenu(
  conversation: ConversationIdentity,
  messageAt: (element: Element) => Message | undefined,
): MessageMenus {
  const { t } = useI18n();
  const groups = useGroups();
  const menu = shallowRef<MessageMenu>();

  /** Whether there was anything to open. */
  function open(element: Element, x: number, y: number): boolean {
    const message = messageAt(element);
    if (message === undefined) return false;
    const actions = listActions(message, {
      nowMs: Date.now(),
      type: conversation.type,
      mayManage: groups.mayManage(conversation.groupId),
    });
    if (actions.length === 0) return false;
    const items = actions.map((one) => ({ ...one, label: t(`message.${one.key}`) }));
    menu.value = { message, items, selected: selectedIn(element), at: { x, y } };
    return true;
  }

  function openBelow(element: Element): void {
    const box = element.getBoundingClientRect();
    open(element, box.left, box.bottom + 4);
  }

  function openAt(x: number, y: number, target: EventTarget | null): boolean {
    const touched = target instanceof Element ? target.closest(".bubble, .meta") : null;
    return touched !== null && open(touched, x, y);
  }

  return {
    menu,
    close: () => {
      menu.value = undefined;
    },
    listeners: {
      ...useLongPress(openAt),
      contextmenu: (event: MouseEvent) => {
        if (openAt(event.clientX, event.clientY, event.target)) event.preventDefault();
      },
      click: ({ target }: MouseEvent) => {
        const button = target instanceof Element && target.closest("[aria-haspopup=menu]");
        if (button) openBelow(button);
      },
      keydown: ({ key, target }: KeyboardEvent) => {
        if (key === "Enter" && target instanceof Element && target.matches(".message")) openBelow(target);
      },
    },
  };
}

/** What is selected, if all of it is in the text of the message that an element belongs to. */
function selectedIn(element: Element): string {
  const text = element.closest(".message")?.querySelector(".text");
  const selection = getSelection();
  const isInside = text?.contains(selection?.anchorNode ?? null) && text.contains(selection?.focusNode ?? null);
  return isInside ? (selection?.toString() ?? "") : "";
}
