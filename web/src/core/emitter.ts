/** Typed events: handlers are called in the order in which they came. */
export class Emitter<Events extends object> {
  readonly #handlers: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};

  /** Call *handler* from now on; returns what ends it. */
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void {
    const handlers = (this.#handlers[name] ??= new Set<(event: Events[Name]) => void>());
    handlers.add(handler);
    return () => {
      handlers.delete(handler);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const handler of this.#handlers[name] ?? []) handler(event);
  }

  /** Forget all handlers. */
  clear(): void {
    for (const name of Object.keys(this.#handlers) as (keyof Events)[]) {
      delete this.#handlers[name];
    }
  }
}
