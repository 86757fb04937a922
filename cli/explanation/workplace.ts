/** What explains images: a session with its model loaded. */
import { basename } from 'node:path';
import type { Step } from '../../src/explain/progress';
import type { Description } from '../../src/model/description';
import { decoded } from '../decode';
import { HOSTS, type HostName } from '../hosts/hosts';
import type { ExplainRequest, ExplainResult, Opened } from '../page-api';
import { Session } from '../session';
import { addressOf, type ReadyModel, reachOf } from './ready-model';

export interface WorkplaceOptions {
  readonly runtime: HostName;
  readonly source: ReadyModel;
  /** Of the network, where its file does not say. */
  readonly said: Description;
  readonly signal: AbortSignal;
  onStep(step: Step): void;
}

export class Workplace {
  readonly session: Session;
  private readonly options: WorkplaceOptions;
  private loaded: Opened | undefined;

  private constructor(session: Session, options: WorkplaceOptions) {
    this.session = session;
    this.options = options;
  }

  static async open(options: WorkplaceOptions): Promise<Workplace> {
    const { runtime, source, signal, onStep } = options;
    const session = await Session.open({ runtime, signal, onStep, ...reachOf(source) });
    return new Workplace(session, options);
  }

  /** Takes the image that is explained next. @throws ScoreCamError `image` for bytes that are none */
  async take(image: Buffer, path: string): Promise<void> {
    const name = basename(path);
    if (HOSTS[this.options.runtime].decodes) {
      await this.session.call('takeImage', image.toString('base64'), name);
    } else {
      await this.session.call('takePixels', await decoded(image, name));
    }
  }

  /** Loads the model. */
  async load(): Promise<void> {
    const { source, said } = this.options;
    this.loaded = await this.session.call('open', addressOf(source, this.session.url), said);
  }

  /** The model, once it is loaded. */
  get opened(): Opened {
    if (!this.loaded) throw new Error('load() comes first');
    return this.loaded;
  }

  /** Explains the image that was taken last. */
  explain(request: ExplainRequest): Promise<ExplainResult> {
    return this.session.call('explain', request);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
