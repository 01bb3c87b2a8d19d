// @vitest-environment happy-dom

import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { createPinia } from "pinia";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Credentials } from "../core/credentials";
import { ErrorCode } from "../core/errors";
import AdminApp from "./AdminApp.vue";
import { AdminApi } from "./api";
import { doorKey } from "./context";
import { node, picture } from "../../tests/cluster";
import { openAdminTexts } from "./texts";

const ORIGIN = "http://localhost:7080";
const HOSTILE = '<img src=x onerror="globalThis.hurt = true">';
const SESSION = {
  user_id: "10001",
  nickname: HOSTILE,
  must_change_password: false,
  access_token: "token",
  access_expires_at_ms: 9e15,
  device_id: "aabb",
};

type Answers = Readonly<Record<string, () => Response>>;

const GOOD: Answers = {
  "/v1/session/resume": () => Response.json(SESSION),
  "/v1/admin/me": () => Response.json({ user_id: "10001", nickname: HOSTILE }),
  "/v1/admin/live": () =>
    new Response(`data: ${JSON.stringify(picture([node(HOSTILE), node("unit-2", { silent_since_ms: 0 })]))}\n\n`),
  "/v1/admin/users": () =>
    Response.json({
      users: [
        {
          user_id: "10002",
          nickname: HOSTILE,
          is_bot: false,
          is_admin: false,
          is_disabled: true,
          must_change_password: false,
          created_at_ms: 1,
          last_seen_at_ms: 0,
          units: [HOSTILE],
        },
      ],
      more: false,
    }),
  "/v1/admin/groups": () =>
    Response.json({
      groups: [
        {
          group_id: "10001",
          name: HOSTILE,
          owner_id: "10002",
          members: 3,
          member_limit: 500,
          created_at_ms: 1,
          is_dismissed: false,
        },
      ],
      more: false,
    }),
};

function refused(status: number, code: number): () => Response {
  return () => Response.json({ code, fields: {}, retry_after_ms: 0 }, { status });
}

let page: VueWrapper | undefined;

/** The page in English, before a server that answers so. */
async function open(answers: Answers): Promise<VueWrapper> {
  const fetcher = (async (url: string) => {
    const answer = answers[new URL(url).pathname];
    return answer === undefined ? new Response(null, { status: 404 }) : answer();
  }) as typeof fetch;
  const credentials = new Credentials(ORIGIN, fetcher);
  page = mount(AdminApp, {
    global: {
      plugins: [createPinia(), await openAdminTexts("en")],
      provide: { [doorKey as symbol]: { credentials, api: new AdminApi(ORIGIN, credentials, fetcher) } },
    },
    attachTo: document.body,
  });
  await flushPromises();
  return page;
}

beforeEach(() => {
  location.hash = "";
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

afterEach(() => {
  page?.unmount();
  document.body.replaceChildren();
});

test("who is not logged in is asked to", async () => {
  const app = await open({ "/v1/session/resume": refused(401, ErrorCode.NOT_LOGGED_IN) });
  expect(app.find("input[type=password]").exists()).toBe(true);
});

test("who is no administrator is told so, and sees nothing", async () => {
  const app = await open({ ...GOOD, "/v1/admin/me": refused(403, ErrorCode.FORBIDDEN) });
  expect(app.text()).toContain("This account may not administer");
  expect(app.find("nav").exists()).toBe(false);
});

test("who must change the password first is sent to the chat", async () => {
  const app = await open({
    ...GOOD,
    "/v1/session/resume": () => Response.json({ ...SESSION, must_change_password: true }),
  });
  expect(app.text()).toContain("Change the password first");
});

test("when the server is away one can try again", async () => {
  const app = await open({ "/v1/session/resume": refused(503, ErrorCode.UNAVAILABLE) });
  expect(app.find("button.first").text()).toBe("Try again");
});

test("the cluster is shown, and a node that does not answer in red", async () => {
  const app = await open(GOOD);
  await vi.waitFor(() => expect(app.findAll(".cards li").length).toBe(2));
  expect(app.find(".card.silent").text()).toContain("unit-2");
});

test.each(["users", "groups", "cluster"])("names are text and nothing else: %s", async (section) => {
  location.hash = `#/${section}`;
  const app = await open(GOOD);
  await vi.waitFor(() => expect(app.text()).toContain(HOSTILE));
  expect(document.querySelector("main img")).toBeNull();
  expect(globalThis).not.toHaveProperty("hurt");
});
