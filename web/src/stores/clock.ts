/** A clock that ticks once a minute: "today" must become "yesterday" over night. */

import { defineStore } from "pinia";
import { onScopeDispose, ref } from "vue";

export const useClock = defineStore("clock", () => {
  const now = ref(Date.now());
  const timer = setInterval(() => {
    now.value = Date.now();
  }, 60_000);
  onScopeDispose(() => clearInterval(timer));
  return { now };
});
