/** For tests of components: a page around them, with the made-up client. */

import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { createPinia } from "pinia";
import { afterEach, vi } from "vitest";
import type { Component } from "vue";

import { DemoClient, type DemoOptions } from "../src/demo/client";
import { makeTexts } from "../src/i18n";
import { en } from "../src/i18n/en";
import { clientKey } from "../src/stores/client";
import { useConversations } from "../src/stores/conversations";
import { useSession } from "../src/stores/session";

export const FRIEND = String((10001n << 32n) | 10002n);
export const GROUP = "20001";

enableAutoUnmount(afterEach);

export interface Mounted {
  readonly wrapper: VueWrapper;
  readonly client: DemoClient;
}

/** Mounts *component* for somebody who is logged in (or not), when everything has been loaded. */
export async function mountPage(
  component: Component,
  props: Readonly<Record<string, unknown>> = {},
  options: DemoOptions = {},
): Promise<Mounted> {
  const client = new DemoClient({ delayMs: 0, isLoggedIn: true, messages: 30, ...options });
  const pinia = createPinia();
  const texts = makeTexts("en", en);
  await client.resume();
  const wrapper = mount(component, {
    props,
    attachTo: document.body,
    global: { plugins: [pinia, texts], provide: { [clientKey as symbol]: client } },
  });
  await vi.waitUntil(() => client.account === null || useConversations(pinia).isLoaded);
  useSession(pinia).isReady = true;
  await flushPromises();
  return { wrapper, client };
}
