/** What Enter does in the composer. */

/**
 * Enter sends, with Shift it breaks the line. Not while an input method composes: there it takes the
 * suggestion. Safari ends the composition before it tells of the key, hence the 229.
 */
export function isSendKey(event: KeyboardEvent, isTouch: boolean): boolean {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  // A phone's keyboard has no Shift+Enter; there the button sends.
  return !event.shiftKey && !isTouch;
}
