/** Which client the page has: the made-up one at `?demo`, which needs no server. */

import type { ChatClient } from "./core/api";

/** `?demo` begins at the log-in, `?demo=in` behind it. */
export async function openClient(): Promise<ChatClient> {
  const demo = new URLSearchParams(location.search).get("demo");
  const { FakeChatClient } = await import("./core/fake");
  return new FakeChatClient({ isLoggedIn: demo === "in", canUpload: true });
}
