/** Where the lines and marks of a chart go. Pure. */

import type { Point, Series } from "./history";

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** The value at the upper edge. */
  readonly top: number;
}

/** A longer time without a sample (two are missing) is a gap in the line. */
const GAP_MS = 13_000;
/** A sample says nothing about a moment that is further away. */
const NEAR_MS = 7_500;
const YOUNGEST_MS = 60_000;
const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest round number that is not below *value*; values of nothing get a scale too. */
export function roundUp(value: number, least: number): number {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((one) => one * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

export function maxOf(series: readonly Series[]): number {
  return Math.max(0, ...series.flatMap((one) => one.points.map(([, , high]) => high)));
}

export function xOf(frame: Frame, atMs: number): number {
  return ((atMs - frame.fromMs) / (frame.toMs - frame.fromMs)) * frame.width;
}

export function yOf(frame: Frame, value: number): number {
  return frame.height - (value / frame.top) * frame.height;
}

/** Where the time begins: a young cluster fills the chart, instead of a corner of it. */
export function startOf(rangeMs: number, oldestMs: number, toMs: number): number {
  return Math.max(toMs - rangeMs, Math.min(oldestMs, toMs - YOUNGEST_MS));
}

/** Stretches without a gap. */
function stretches(points: readonly Point[]): readonly Point[][] {
  const found: Point[][] = [];
  let last = -Infinity;
  for (const point of points) {
    if (point[0] - last > GAP_MS) found.push([]);
    found.at(-1)?.push(point);
    last = point[0];
  }
  return found;
}

function pathOf(frame: Frame, corners: readonly (readonly [atMs: number, value: number])[]): string {
  return corners
    .map(([atMs, value]) => `${xOf(frame, atMs).toFixed(1)} ${yOf(frame, value).toFixed(1)}`)
    .join("L");
}

/** The `d` of a path; a point alone is a dot. */
export function lineOf(frame: Frame, points: readonly Point[], index: 1 | 2 = 1): string {
  return stretches(points)
    .map((part) => `M${pathOf(frame, part.map((one) => [one[0], one[index]]))}${part.length === 1 ? "h0" : ""}`)
    .join("");
}

/** The `d` of what lies between the values and the high ones. */
export function bandOf(frame: Frame, points: readonly Point[]): string {
  return stretches(points)
    .map((part) => {
      const there = part.map(([atMs, value]) => [atMs, value] as const);
      const back = part.map(([atMs, , high]) => [atMs, high] as const).reverse();
      return `M${pathOf(frame, [...there, ...back])}Z`;
    })
    .join("");
}

/** The sample beside the one at *atMs*; there is none beyond the frame. */
export function stepOf(series: readonly Series[], atMs: number, direction: -1 | 1): number {
  const times = series.flatMap((one) => one.points.map(([at]) => at)).filter((at) => (at - atMs) * direction > 0);
  if (times.length === 0) return atMs;
  return direction > 0 ? Math.min(...times) : Math.max(...times);
}

/** The point nearest in time; undefined: none is near. */
export function nearest(points: readonly Point[], atMs: number): Point | undefined {
  let best: Point | undefined;
  for (const point of points) {
    if (best === undefined || Math.abs(point[0] - atMs) < Math.abs(best[0] - atMs)) best = point;
  }
  return best !== undefined && Math.abs(best[0] - atMs) <= NEAR_MS ? best : undefined;
}

/** Whole minutes inside the frame, about *count* of them. */
export function timeMarks(frame: Frame, count: number): readonly number[] {
  const minutes = (frame.toMs - frame.fromMs) / 60_000;
  const step = [1, 2, 5, 10, 15, 20, 30].find((one) => minutes / one <= count) ?? 60;
  const stepMs = step * 60_000;
  const marks: number[] = [];
  for (let at = Math.ceil(frame.fromMs / stepMs) * stepMs; at < frame.toMs; at += stepMs) marks.push(at);
  return marks;
}

/** `1234` → `1.2k`; small numbers keep a digit after the point. */
export function short(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(0)}k`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)}k`;
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value >= 9.95 ? value.toFixed(0) : value.toFixed(value < 0.1 ? 2 : 1);
}
