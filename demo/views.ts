/** The views, in the order of the navigation. Code and texts of each are fetched when it is first shown. */
import type { Language } from './language';
import type { Context, Mounted, TextModule, View } from './view';

type Mount = (root: HTMLElement, context: Omit<Context<unknown>, 'texts'>) => Mounted;

/** Fetches a view and its texts in a language. */
export type Load = (language: Language) => Promise<Mount>;

const view =
  <Texts>(
    load: () => Promise<View<Texts>>,
    texts: Readonly<Record<Language, () => Promise<TextModule<Texts>>>>,
  ): Load =>
  async (language) => {
    const [{ mount }, { default: own }] = await Promise.all([load(), texts[language]()]);
    return (root, context) => mount(root, { ...context, texts: own });
  };

export const VIEWS = {
  explain: view(() => import('./views/explain'), {
    en: () => import('./texts/en/explain'),
    ko: () => import('./texts/ko/explain'),
  }),
  how: view(() => import('./views/how'), {
    en: () => import('./texts/en/how'),
    ko: () => import('./texts/ko/how'),
  }),
  why: view(() => import('./views/why'), {
    en: () => import('./texts/en/why'),
    ko: () => import('./texts/ko/why'),
  }),
  kernels: view(() => import('./views/kernels'), {
    en: () => import('./texts/en/kernels'),
    ko: () => import('./texts/ko/kernels'),
  }),
} as const satisfies Readonly<Record<string, Load>>;

export type ViewName = keyof typeof VIEWS;
export const VIEW_NAMES = Object.keys(VIEWS) as readonly ViewName[];
