/** Which client the page has: the made-up one at `?demo`, which needs no server, else the real one. */

import type { ChatClient } from "./core/api";
import { openChatClient } from "./core/open";

/** `?demo` begins at the log-in, `?demo=in` behind it. */
export async function openClient(): Promise<ChatClient> {
  const demo = new URLSearchParams(location.search).get("demo");
  if (demo === null) return openChatClient();
  const { FakeChatClient } = await import("./core/fake");
  return new FakeChatClient({ isLoggedIn: demo === "in", canUpload: true });
}
