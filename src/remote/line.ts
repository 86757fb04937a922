import { ScoreCamError, type ScoreCamErrorCode } from '../errors';

type Args<Call> = Call extends (...args: infer Given) => unknown ? Given : never;
type Result<Call> = Call extends (...args: never) => infer Given ? Awaited<Given> : never;

/** A worker, or what a worker sees of its page. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Message>) => void): void;
}

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id: number | undefined }
  | { readonly answer: unknown; readonly to: number }
  | { readonly error: SentError; readonly to: number };

/** An error's own class is lost on the way, and so is what cannot be cloned. */
type SentError =
  | { readonly code: ScoreCamErrorCode; readonly message: string }
  | { cause: unknown };

const transfers = new WeakMap<object, Transferable[]>();

/** The value, whose parts are handed over and not copied when it is sent. */
export function moved<Value extends object>(value: Value, parts: Transferable[]): Value {
  transfers.set(value, parts);
  return value;
}

const partsOf = (values: readonly unknown[]): Transferable[] =>
  values.flatMap((value) => transfers.get(value as object) ?? []);

/** One end of a line between two threads, each of which may call the other. */
export class Line<Theirs> {
  private readonly port: Port;
  private readonly waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void }
  >();
  private calls = 0;
  private ended: unknown;

  constructor(port: Port, ours: object) {
    this.port = port;
    port.addEventListener('message', ({ data }) => void this.hear(data, ours));
  }

  /** @throws what the other end throws; ScoreCamError `option` where an argument cannot be sent */
  call<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Args<Theirs[Name]>
  ): Promise<Result<Theirs[Name]>> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = this.calls++;
      this.waiting.set(id, { resolve, reject });
      try {
        this.post({ call: name, args, id }, args);
      } catch (cause) {
        this.waiting.delete(id);
        reject(
          new ScoreCamError('option', `What ${name} is given cannot go to a worker: ${cause}`, {
            cause,
          }),
        );
      }
    }) as Promise<Result<Theirs[Name]>>;
  }

  /** A call that nobody waits for. */
  tell<Name extends keyof Theirs & string>(name: Name, ...args: Args<Theirs[Name]>): void {
    if (!this.ended) this.post({ call: name, args, id: undefined }, args);
  }

  /** Whoever waits, or calls from now on, gets this error. */
  end(error: unknown): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }

  private post(message: Message, values: readonly unknown[]): void {
    this.port.postMessage(message, partsOf(values));
  }

  private async hear(message: Message, ours: object): Promise<void> {
    if (!('call' in message)) {
      const { to } = message;
      const waiting = this.waiting.get(to);
      this.waiting.delete(to);
      if ('error' in message) waiting?.reject(received(message.error));
      else waiting?.resolve(message.answer);
      return;
    }
    const { call, args, id: to } = message;
    try {
      const answers = ours as Record<string, (...args: readonly unknown[]) => unknown>;
      const answer = await answers[call]?.(...args);
      if (to !== undefined) this.post({ answer, to }, [answer]);
    } catch (error) {
      if (to === undefined) throw error;
      this.refuse(error, to);
    }
  }

  private refuse(error: unknown, to: number): void {
    const { code, message } = error as ScoreCamError;
    const isOurs = error instanceof ScoreCamError;
    try {
      this.post({ error: isOurs ? { code, message } : { cause: error }, to }, []);
    } catch {
      this.post({ error: { cause: new Error(String(error)) }, to }, []);
    }
  }
}

function received(error: SentError): unknown {
  return 'code' in error ? new ScoreCamError(error.code, error.message) : error.cause;
}
