/** The pages of the settings, in the order in which they are listed. */

import type { IconName } from "../parts/icons";

export const PAGES = [
  { id: "profile", icon: "contacts" },
  { id: "look", icon: "theme" },
  { id: "notifications", icon: "bell" },
  { id: "storage", icon: "file" },
  { id: "devices", icon: "device" },
  { id: "password", icon: "lock" },
  { id: "account", icon: "trash" },
] as const satisfies readonly { readonly id: string; readonly icon: IconName }[];
