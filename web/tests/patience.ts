/** Waits in tests end late: the machine may have other work, and what holds is seen at once all the same. */

import { vi } from "vitest";

const { waitFor, waitUntil } = vi;

vi.waitFor = (holds, options) => waitFor(holds, options ?? { timeout: 30_000 });
vi.waitUntil = (holds, options) => waitUntil(holds, options ?? { timeout: 30_000 });
