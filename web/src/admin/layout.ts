/** Boxes and texts of a drawing, in pixels: where something fits without covering something else. Pure. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

export function boxAround(centre: Place, width: number, height: number): Box {
  return { x: centre.x - width / 2, y: centre.y - height / 2, width, height };
}

/** Whether they cover each other or are closer than *apart*. */
export function areClose(a: Box, b: Box, apart = 0): boolean {
  return (
    a.x < b.x + b.width + apart &&
    b.x < a.x + a.width + apart &&
    a.y < b.y + b.height + apart &&
    b.y < a.y + a.height + apart
  );
}

export function isWithin(box: Box, width: number, height: number): boolean {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
}

/** Whether the line from *a* to *b* goes through the box. */
export function crosses(a: Place, b: Place, box: Box): boolean {
  let first = 0;
  let last = 1;
  for (const axis of ["x", "y"] as const) {
    const low = box[axis];
    const high = low + (axis === "x" ? box.width : box.height);
    const way = b[axis] - a[axis];
    if (way === 0) {
      if (a[axis] < low || a[axis] > high) return false;
      continue;
    }
    const [enter, leave] = [(low - a[axis]) / way, (high - a[axis]) / way].sort((one, two) => one - two);
    first = Math.max(first, enter ?? 0);
    last = Math.min(last, leave ?? 1);
  }
  return first <= last;
}

export function between(a: Place, b: Place, part: number): Place {
  return { x: a.x + part * (b.x - a.x), y: a.y + part * (b.y - a.y) };
}

const WIDE = /[\u1100-\uffff]|[\u{10000}-\u{10ffff}]/u;

/** How wide a text is at most, about; Chinese characters are twice as wide as Latin ones. */
export function textWidth(text: string, sizePx: number): number {
  return [...text].reduce((all, one) => all + (WIDE.test(one) ? 1 : 0.62), 0) * sizePx;
}

/** The text, without its middle where there is no room: names of nodes differ at their end. */
export function cutMiddle(text: string, widthPx: number, sizePx: number): string {
  if (textWidth(text, sizePx) <= widthPx) return text;
  const letters = [...text];
  for (let kept = letters.length - 1; kept >= 2; kept--) {
    const tail = Math.ceil(kept / 2);
    const cut = `${letters.slice(0, kept - tail).join("")}…${letters.slice(-tail).join("")}`;
    if (textWidth(cut, sizePx) <= widthPx) return cut;
  }
  return "";
}
