import {
  type Explainer,
  METHODS,
  type Method,
  type Progress,
  type WeightDtype,
} from '../src/index';
import { rememberLoaded, wasLoaded } from './loaded-before';
import { BUILT_IN, isLarge, networkNamed } from './networks';
import { type Choice, openNetwork } from './open-network';
import type { State } from './state';

type Listener<Event> = (event: Event) => void;

/** The one explainer that all views share, and the network it is of. */
export class Models {
  /** What the address asks for and nobody has agreed to download yet. */
  readonly wanted: Choice | undefined;
  private current: Choice;
  private opened: Promise<Explainer> | undefined;
  private readonly progressListeners = new Set<Listener<Progress>>();
  private readonly changeListeners = new Set<Listener<Explainer>>();

  /** @param state Where the choice is read at first, and kept. One that needs files is not restored. */
  constructor(private readonly state: State) {
    const asked = choiceOf(state);
    const isFree = !isLarge(asked.model) || wasLoaded(asked.model);
    this.wanted = isFree ? undefined : asked;
    this.current = isFree ? asked : { model: BUILT_IN, dtype: undefined };
  }

  /** What is loaded, or is to be. */
  get choice(): Choice {
    return this.current;
  }

  /** Loads the chosen network, once for everybody; after a failure the next call tries again. */
  explainer(): Promise<Explainer> {
    this.opened ??= this.open(this.current).then(
      (opened) => {
        for (const listener of this.changeListeners) listener(opened);
        return opened;
      },
      (error: unknown) => {
        this.opened = undefined;
        throw error;
      },
    );
    return this.opened;
  }

  /** Puts another network in the place of the one at work, which stays if that fails. */
  async change(choice: Choice, signal?: AbortSignal): Promise<Explainer> {
    const opened = await this.open(choice, signal);
    const before = await this.opened?.catch(() => undefined);
    this.current = choice;
    this.opened = Promise.resolve(opened);
    const { model, dtype, files } = choice;
    const isRestored = model !== BUILT_IN && !files;
    this.state.set({
      network: isRestored ? model : undefined,
      dtype: isRestored ? dtype : undefined,
    });
    if (isRestored) rememberLoaded(model);
    before?.dispose();
    for (const listener of this.changeListeners) listener(opened);
    return opened;
  }

  /** A lost device does not come back: the next call of {@link explainer} starts with a new one. */
  forget(): void {
    this.opened = undefined;
  }

  /** Hears how far loading is, until what it returns is called. */
  onProgress(listener: Listener<Progress>): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  /** Hears that a network is loaded, until what it returns is called. The one before can be used no more. */
  onChange(listener: Listener<Explainer>): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  /** With the kernels of the method that is chosen, or of Score-CAM, which most views begin with. */
  private open(choice: Choice, signal?: AbortSignal): Promise<Explainer> {
    const method = this.state.oneOf('method', Object.keys(METHODS) as Method[]) ?? 'score-cam';
    return openNetwork(choice, (progress) => this.tellProgress(progress), method, signal);
  }

  private tellProgress(progress: Progress): void {
    for (const listener of this.progressListeners) listener(progress);
  }
}

function choiceOf(state: State): Choice {
  const network = networkNamed(state.get('network'));
  if (!network || network.needsFiles) return { model: BUILT_IN, dtype: undefined };
  const dtype = network.dtypes.find((form) => form === state.get('dtype')) ?? network.dtypes[0];
  return { model: network.name, dtype: dtype as WeightDtype | undefined };
}
