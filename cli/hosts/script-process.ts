import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Call, messageIn } from './message';
import type { Runtime } from './runtimes';

/** Functions that a script offers by `answerCalls`. Arguments and results are what JSON can say. */
export type Calls = Readonly<Record<string, (...args: never[]) => unknown>>;

/** The process has ended, and what was called has no answer. */
export class ProcessEnded extends Error {}

/** How much of what it printed is told when a process ends, in characters. */
const TAIL = 1000;

/** A process of Deno or Node that has loaded a script and answers calls of its functions. */
export class ScriptProcess<Api extends Calls> {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void }
  >();
  private readonly closed: Promise<void>;
  private problem: ProcessEnded | undefined;
  private calls = 0;

  /**
   * @param file built by `buildScript` from a script that ends in `answerCalls`
   * @param onEvent hears of what the script reports meanwhile
   */
  constructor(
    { title, program, args }: Runtime,
    file: string,
    onEvent: (event: string, value: unknown) => void = () => {},
  ) {
    this.child = spawn(program, [...args, file], { stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.child;
    let said = '';
    const hear = (text: string): void => {
      said = `${said}${text}`.slice(-TAIL);
    };
    stderr?.on('data', (chunk) => hear(String(chunk)));
    // Written to a process that has just ended: its end is told below.
    stdin?.on('error', () => {});
    if (stdout) {
      createInterface(stdout).on('line', (line) => {
        const { message, printed } = messageIn(line);
        hear(printed);
        if (!message) return;
        if ('event' in message) return onEvent(message.event, message.value);
        const { resolve, reject } = this.waiting.get(message.id) ?? {};
        this.waiting.delete(message.id);
        if ('error' in message) reject?.(new Error(message.error));
        else resolve?.(message.value);
      });
    }
    this.closed = new Promise((resolve) => {
      const end = (how: string): void => {
        this.problem = new ProcessEnded(
          `${title} ${how}.${said ? ` It said: ${said.trim()}` : ''}`,
        );
        for (const { reject } of this.waiting.values()) reject(this.problem);
        this.waiting.clear();
        resolve();
      };
      this.child.once('error', (error) => end(`did not start: ${error.message}`));
      this.child.once('close', (code, signal) =>
        end(signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
      );
    });
  }

  /** Whether it can be called no more. */
  get hasEnded(): boolean {
    return this.problem !== undefined;
  }

  /** @throws ProcessEnded if the process ends before it answers; else what the function throws, its stack as message */
  call<Name extends keyof Api & string>(
    name: Name,
    ...args: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>> {
    if (this.problem) return Promise.reject(this.problem);
    const call: Call = { id: this.calls++, name, args };
    this.child.stdin?.write(`${JSON.stringify(call)}\n`);
    return new Promise((resolve, reject) => {
      this.waiting.set(call.id, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Ends the process, whatever it does. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}
