/** The conformance vectors, which every implementation of the protocol runs. */

import { readFileSync } from "node:fs";

/** The JSON of a file; its shape is the caller's to name. */
export function readVectors<Shape>(name: string): Shape {
  const url = new URL(`../../tests/conformance/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf-8")) as Shape;
}
