import { expect, it } from "vitest";

import { describeBrowser } from "./open";

it("names browsers by what people know them as", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
  const edge = `${chrome} Edg/140.0.0.0`;
  const firefox = "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0";
  expect([chrome, edge, firefox, "curl/8"].map(describeBrowser)).toEqual([
    "Chrome, Linux",
    "Edge, Linux",
    "Firefox, Android",
    "",
  ]);
});
