/** Who is logged in, and how the connection is. */

import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import { asChatError } from "../core/errors";
import { useClient } from "./client";

export const useSession = defineStore("session", () => {
  const client = useClient();
  const account = shallowRef(client.account);
  const connection = shallowRef(client.connection);
  /** Whether it is known if somebody is logged in. */
  const isReady = ref(false);
  const me = computed(() => account.value?.userId ?? "");

  client.on("account", (now) => {
    account.value = now;
  });
  client.on("connection", (now) => {
    connection.value = now;
  });

  async function resume(): Promise<void> {
    try {
      account.value = await client.resume();
    } catch (error) {
      asChatError(error); // whom the last visit does not let in comes by the door
    }
    isReady.value = true;
  }

  return { account, connection, isReady, me, resume };
});
