/** A real server as a process, for tests of the core against it. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The Python that has the server; without it these tests are left out. */
export const PYTHON = process.env["SERVER_PYTHON"];

const ENVIRONMENT = {
  ...process.env,
  TINYQQ_LANG: "en",
  TINYQQ_ACCOUNTS__ARGON2_MEMORY_KIB: "8",
  TINYQQ_ACCOUNTS__ARGON2_PASSES: "1",
};
const START_TIMEOUT_MS = 50_000;

export class Server {
  origin = "";
  #child: ChildProcess | undefined;
  #ports = ["--tcp-port", "0", "--http-port", "0"];
  readonly #folder = mkdtempSync(join(tmpdir(), "tinyqq-web-"));

  /** Start it, or start it again where it was. */
  async start(): Promise<this> {
    const code = "from tinyqq.cli.main import app; app()";
    const serve = ["serve", "--data-dir", join(this.#folder, "data"), ...this.#ports];
    // It must not outlive the tests, however these end.
    const command = ["--pdeathsig", "KILL", PYTHON ?? "", "-c", code, ...serve];
    const child = spawn("setpriv", command, { env: ENVIRONMENT, stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    const printed = await untilPrinted(child, /tinyqq:\/\/\S+:(\d+)/, /http:\/\/\S+:(\d+)/);
    const [tcp, http] = printed.map((match) => match[1] ?? "");
    this.#ports = ["--tcp-port", tcp ?? "", "--http-port", http ?? ""];
    this.origin = `http://127.0.0.1:${http}`;
    return this;
  }

  /** End it as a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function untilPrinted(child: ChildProcess, ...patterns: RegExp[]): Promise<RegExpExecArray[]> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const timer = setTimeout(() => reject(new Error(`not started: ${printed}`)), START_TIMEOUT_MS);
    child.once("exit", () => reject(new Error(`ended: ${printed}`)));
    child.stdout?.on("data", (data: Buffer) => {
      printed += data.toString();
      const found = patterns.flatMap((pattern) => pattern.exec(printed) ?? []);
      const matches = patterns.map((pattern) => pattern.exec(printed)).filter((one) => one !== null);
      if (found.length === 0 || matches.length < patterns.length) return;
      clearTimeout(timer);
      resolve(matches);
    });
  });
}
