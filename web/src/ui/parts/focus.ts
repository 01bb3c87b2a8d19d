/** Where one begins to type. The browser's own `autofocus` works once in the life of a page. */

import type { Directive } from "vue";

/** `v-focus`, or `v-focus="whether"`: has the focus as soon as it is there. Dialogs do it themselves. */
export const vFocus: Directive<HTMLElement, boolean | undefined> = {
  mounted(element, { value }) {
    if (value !== false) element.focus();
  },
};
