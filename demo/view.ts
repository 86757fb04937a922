import type { Language } from './language';
import type { Models } from './models';
import type { State } from './state';
import type { Subject } from './subject';

/** What a view gets. README.txt says what it may do with it. */
export interface Context<Texts> {
  readonly texts: Texts;
  readonly language: Language;
  readonly state: State;
  readonly models: Models;
  readonly subject: Subject;
}

export interface Mounted {
  /** Ends all that the view has under way, and frees what it holds. */
  dispose(): void;
}

/** A module of views/. */
export interface View<Texts> {
  mount(root: HTMLElement, context: Context<Texts>): Mounted;
}

/** A module of texts/LANGUAGE/. */
export interface TextModule<Texts> {
  readonly default: Texts;
}
