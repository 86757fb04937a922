/**
 * Settings in the address, after the #, as in a query: a link restores them on any host, and nobody's server sees them.
 */
export class State {
  private readonly listeners = new Set<() => void>();

  get(key: string): string | undefined {
    return parameters().get(key) ?? undefined;
  }

  /** The value if it is one of these, as an address may say anything. */
  oneOf<Value extends string>(key: string, values: readonly Value[]): Value | undefined {
    return values.find((value) => value === this.get(key));
  }

  /** A number from `least` to `most`; undefined for anything else. */
  number(key: string, least: number, most: number): number | undefined {
    const text = this.get(key);
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
    return value >= least && value <= most ? value : undefined;
  }

  /** Writes some; `undefined` takes one out. The history's entry is replaced, and no view is mounted anew. */
  set(values: Readonly<Record<string, string | undefined>>): void {
    history.replaceState(history.state, '', this.link(values));
    for (const listener of this.listeners) listener();
  }

  /** The address with some changed, for a link. */
  link(values: Readonly<Record<string, string | undefined>>): string {
    const changed = parameters();
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) changed.delete(key);
      else changed.set(key, value);
    }
    return `#${changed}`;
  }

  /** Hears of every {@link set}, until what it returns is called. */
  onSet(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

const parameters = (): URLSearchParams => new URLSearchParams(location.hash.slice(1));
