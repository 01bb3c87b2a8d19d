/** Getting what a message says out of the page: onto the clipboard, onto the disk. */

import { useI18n } from "vue-i18n";

import type { Message } from "../../core/api";
import { useTry } from "../../stores/attempt";
import { useClient } from "../../stores/client";
import { useToasts } from "../../stores/toasts";
import { copyPicture, copyText } from "../parts/clipboard";
import { saveBlob } from "../parts/save";

/** Answers whether the action was one of these. `selected`: copied instead of the whole text. */
export function useTakeAway(): (action: string, message: Message, selected: string) => Promise<boolean> {
  const { t } = useI18n();
  const client = useClient();
  const toasts = useToasts();
  const tryTo = useTry();

  function content({ content: { media } }: Message): Promise<Blob> {
    return client.fetchFile({ is: "file", blobId: media?.blobId ?? "" });
  }

  return async (action, message, selected) => {
    if (action === "copy") {
      if (await copyText(selected || message.content.text)) toasts.show(t("common.copied"));
    } else if (action === "copyPicture") {
      if (await tryTo(() => copyPicture(content(message)))) toasts.show(t("common.copied"));
    } else if (action === "save") {
      const name = message.content.media?.name || t("media.unnamed");
      await tryTo(async () => saveBlob(await content(message), name));
    } else return false;
    return true;
  };
}
