import { ScoreCamError, type ScoreCamErrorCode } from '../src/errors';
import type { Step } from '../src/explain/progress';
import { CliError } from './errors';
import type { Host } from './hosts/host';
import { HOSTS, type HostName } from './hosts/hosts';
import type { Outcome, PageApi } from './page-api';
import { openServed } from './served';
import { readable, type ServeOptions } from './server';

export interface SessionOptions extends ServeOptions {
  /** What it runs in. Default: Chrome. */
  readonly runtime?: HostName | undefined;
  /** Folders that may be read besides the project's own. */
  readonly folders?: readonly string[];
  readonly signal: AbortSignal;
  onStep(step: Step): void;
}

type Arguments<Name extends keyof PageApi> = Parameters<PageApi[Name]>;
type Value<Name extends keyof PageApi> =
  Awaited<ReturnType<PageApi[Name]>> extends Outcome<infer T> ? T : never;

/** Errors after which there is no GPU to go on with. */
const ENDED: readonly string[] = [
  'no-webgpu',
  'no-adapter',
  'device-lost',
] satisfies ScoreCamErrorCode[];

/** A local server, and cli/page-api.ts in something with WebGPU, ready for calls. */
export class Session {
  readonly url: string;
  /** Such as `Chrome/140.0.7339.80`. */
  readonly version: string;
  private readonly host: Host;
  private readonly remedy: string;
  /** Rejects when the host dies, or the command is stopped. */
  private readonly end: Promise<never>;
  /** Ends server and host. */
  readonly close: () => Promise<void>;
  private over = false;

  private constructor(
    url: string,
    host: Host,
    remedy: string,
    end: Promise<never>,
    close: () => Promise<void>,
  ) {
    this.url = url;
    this.version = host.version;
    this.host = host;
    this.remedy = remedy;
    this.end = end;
    this.close = close;
  }

  static async open(options: SessionOptions): Promise<Session> {
    const { runtime = 'chrome', signal, onStep, folders, ...serve } = options;
    const { launch, remedy } = HOSTS[runtime];
    const { url, launched: host, close } = await openServed(() => launch(onStep), folders, serve);
    try {
      const end = Promise.race([host.end, stopOf(signal)]);
      // Whoever waits for it handles it; nobody may be waiting.
      end.catch(() => {});
      await Promise.race([end, host.open(url)]);
      return new Session(url, host, remedy, end, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Calls one of the functions; its errors come through with their code. */
  async call<Name extends keyof PageApi>(
    name: Name,
    ...args: Arguments<Name>
  ): Promise<Value<Name>> {
    const call = this.host.call(name, args) as Promise<Outcome<Value<Name>>>;
    const outcome = await Promise.race([call, this.end]).catch((error) => {
      this.over = true;
      throw error;
    });
    if (outcome.ok) return outcome.value;
    this.over ||= ENDED.includes(outcome.code);
    throw this.errorOf(outcome.code, readable(outcome.message, this.url));
  }

  /** Whether its host has died or lost its GPU: no further call comes to anything. */
  get isOver(): boolean {
    return this.over;
  }

  private errorOf(code: string, message: string): Error {
    if (code === 'defect') return new Error(message);
    if (code === 'no-webgpu' || code === 'no-adapter') {
      return new CliError(
        `${this.version} offers no WebGPU adapter, not even a software one: ${this.remedy}.`,
      );
    }
    return new ScoreCamError(code as ScoreCamErrorCode, message);
  }
}

/** Rejects when the command is stopped. */
function stopOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
}
