/** Asking the core for something: busy while it lasts, an error in words when it is refused. */

import { ref, type Ref } from "vue";
import { useI18n } from "vue-i18n";

import { ChatError } from "../core/api";
import { useToasts } from "./toasts";

/** An error in the person's words. */
export function useErrorText(): (error: unknown) => string {
  const { t, te } = useI18n();
  return (error) => {
    if (!(error instanceof ChatError)) return t("error.INTERNAL");
    const reason = `reason.${(error.fields.reason ?? "").replaceAll(/[^a-z]+/g, "_")}`;
    const text = t(error.key, { ...error.fields });
    return error.fields.reason !== undefined && te(reason)
      ? `${text} ${t(reason, { ...error.fields })}`
      : text;
  };
}

/** For forms: the error stays beside the fields until the next try. */
export function useAttempt(): {
  readonly isBusy: Ref<boolean>;
  readonly error: Ref<string>;
  readonly run: (act: () => Promise<void>) => Promise<boolean>;
} {
  const isBusy = ref(false);
  const error = ref("");
  const say = useErrorText();

  async function run(act: () => Promise<void>): Promise<boolean> {
    if (isBusy.value) return false;
    isBusy.value = true;
    error.value = "";
    try {
      await act();
      return true;
    } catch (caught) {
      error.value = say(caught);
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  return { isBusy, error, run };
}

/** For buttons and menus: the error is shown as a toast. True when it went well. */
export function useTry(): (act: () => Promise<void>) => Promise<boolean> {
  const toasts = useToasts();
  const say = useErrorText();
  return async (act) => {
    try {
      await act();
      return true;
    } catch (caught) {
      toasts.show(say(caught), true);
      return false;
    }
  };
}
