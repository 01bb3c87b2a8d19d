/** Short messages at the edge of the page, and questions that want a yes. */

import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  /** What it does cannot be undone. */
  readonly isGrave: boolean;
}

/** What went well is seen at a glance; what did not is read. */
const SHOWN_MS = 3_000;
const ERROR_SHOWN_MS = 6_000;

export const useToasts = defineStore("toasts", () => {
  const toasts = ref<readonly Toast[]>([]);
  const question = shallowRef<Question | null>(null);
  let resolve: ((answer: boolean) => void) | undefined;
  let count = 0;

  function show(text: string, isError = false): void {
    const toast = { id: ++count, text, isError };
    // Good news replaces good news; what went wrong stays to be read.
    toasts.value = [...toasts.value.filter((one) => one.isError).slice(-2), toast];
    setTimeout(() => hide(toast.id), isError ? ERROR_SHOWN_MS : SHOWN_MS);
  }

  function hide(id: number): void {
    toasts.value = toasts.value.filter((one) => one.id !== id);
  }

  /** True when the person confirms. One question at a time: a new one answers the former with no. */
  function ask(asked: Question): Promise<boolean> {
    resolve?.(false);
    question.value = asked;
    return new Promise((done) => {
      resolve = done;
    });
  }

  function answer(yes: boolean): void {
    question.value = null;
    resolve?.(yes);
    resolve = undefined;
  }

  return { toasts, question, show, hide, ask, answer };
});
