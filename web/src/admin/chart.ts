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

/** A longer time without a sample is a gap in the line. */
const GAP_MS = 20_000;
const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest round number that is not below *value*; values of nothing get a scale too. */
export function roundUp(value: number, least: number): number {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((one) => one * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

export function maxOf(series: readonly Series[]): number {
  return Math.max(0, ...series.flatMap((one) => one.points.map(([, value]) => value)));
}

export function xOf(frame: Frame, atMs: number): number {
  return ((atMs - frame.fromMs) / (frame.toMs - frame.fromMs)) * frame.width;
}

export function yOf(frame: Frame, value: number): number {
  return frame.height - (value / frame.top) * frame.height;
}

/** The `d` of a path. */
export function lineOf(frame: Frame, points: readonly Point[]): string {
  let last = -Infinity;
  return points
    .map(([atMs, value]) => {
      const move = atMs - last > GAP_MS ? "M" : "L";
      last = atMs;
      return `${move}${xOf(frame, atMs).toFixed(1)} ${yOf(frame, value).toFixed(1)}`;
    })
    .join("");
}

/** The point nearest in time, unless there is a gap; undefined: none. */
export function nearest(points: readonly Point[], atMs: number): Point | undefined {
  let best: Point | undefined;
  for (const point of points) {
    if (best === undefined || Math.abs(point[0] - atMs) < Math.abs(best[0] - atMs)) best = point;
  }
  return best !== undefined && Math.abs(best[0] - atMs) <= GAP_MS ? best : undefined;
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
