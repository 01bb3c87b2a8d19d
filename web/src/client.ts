/** Which client the page has: the made-up one at `?demo`, which needs no server, else the real one. */

import type { ChatClient } from "./core/api";
import { openChatClient } from "./core/open";

/** `?demo` begins at the log-in, `?demo=in` behind it; `&messages=100000`: in its first conversation. */
export async function openClient(): Promise<ChatClient> {
  const query = new URLSearchParams(location.search);
  const demo = query.get("demo");
  if (demo === null) return openChatClient();
  const { DemoClient } = await import("./demo/client");
  const messages = Number(query.get("messages")) || undefined;
  return new DemoClient({ isLoggedIn: demo === "in", canUpload: true, messages });
}
