/** Header and navigation, and the one view that is shown, by what the address says. */
import { h } from './dom';
import { LANGUAGES, type Language, languageOf } from './language';
import { Models } from './models';
import { applyScheme, chooseScheme, isDark } from './scheme';
import { State } from './state';
import { Subject } from './subject';
import type enTexts from './texts/en/shell';
import type { Mounted, TextModule } from './view';
import { VIEW_NAMES, VIEWS, type ViewName } from './views';

type ShellTexts = typeof enTexts;

const TEXTS: Readonly<Record<Language, () => Promise<TextModule<ShellTexts>>>> = {
  en: () => import('./texts/en/shell'),
  ko: () => import('./texts/ko/shell'),
};

export class Shell {
  private readonly state = new State();
  private readonly models = new Models(this.state);
  private readonly subject = new Subject();
  private readonly main = h('main', { id: 'view', tabindex: -1 });
  private mounted: Mounted | undefined;
  private shown: ViewName | undefined;
  private language: Language | undefined;
  /** Of the latest call of {@link show}: what an earlier one has fetched comes too late. */
  private turn = 0;
  private stopLinks = (): void => {};
  /** Whether it is dark, as the header's button says. */
  private showScheme = (): void => {};

  start(): void {
    applyScheme();
    addEventListener('hashchange', () => void this.show());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.showScheme());
    void this.show();
  }

  private async show(): Promise<void> {
    const turn = ++this.turn;
    const language = languageOf(this.state.get('lang'));
    const name = this.state.oneOf('view', VIEW_NAMES) ?? 'explain';
    const before = this.shown;
    const languageBefore = this.language;
    const load = VIEWS[name](language);
    // Reported below, after the shell is there to say it.
    load.catch(() => {});
    const { default: texts } = await TEXTS[language]();
    if (turn !== this.turn) return;
    this.mounted?.dispose();
    this.mounted = undefined;
    this.shown = name;
    this.language = language;
    this.frame(texts, language, name);
    this.main.replaceChildren(h('p', { class: 'loading' }, texts.loading));
    try {
      const mount = await load;
      if (turn !== this.turn) return;
      this.main.replaceChildren();
      const { state, models, subject } = this;
      this.mounted = mount(this.main, { language, state, models, subject });
    } catch (error) {
      if (turn !== this.turn) return;
      const why = error instanceof Error ? error.message : String(error);
      this.main.replaceChildren(h('p', { class: 'error', role: 'alert' }, texts.failed(why)));
    }
    if (before !== undefined && before !== name) this.focusHeading();
    else if (languageBefore !== undefined && languageBefore !== language) {
      // The link that was followed is gone with its header.
      document.querySelector<HTMLElement>('.languages [aria-current]')?.focus();
    }
  }

  /** A screen reader says where one is, and the next Tab goes on from there. */
  private focusHeading(): void {
    const target = this.main.querySelector('h1') ?? this.main;
    target.setAttribute('tabindex', '-1');
    target.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  private frame(texts: ShellTexts, language: Language, name: ViewName): void {
    document.documentElement.lang = language;
    document.title = `${texts.views[name]} · ${texts.title}`;
    const { state } = this;
    const links: { readonly link: HTMLAnchorElement; readonly to: () => string }[] = [];
    const linkTo = (to: () => string, attributes: Parameters<typeof h>[1], text: string): Node => {
      const link = h('a', { ...attributes, href: to() }, text);
      links.push({ link, to });
      return link;
    };
    const pages = VIEW_NAMES.map((view) =>
      h(
        'li',
        {},
        linkTo(
          () => state.link({ view }),
          view === name ? { 'aria-current': 'page' } : {},
          texts.views[view],
        ),
      ),
    );
    const languages = Object.entries(LANGUAGES).map(([other, own]) =>
      h(
        'li',
        {},
        linkTo(
          () => state.link({ lang: other }),
          {
            lang: other,
            hreflang: other,
            ...(other === language ? { 'aria-current': 'true' } : {}),
          },
          own,
        ),
      ),
    );
    const dark = h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        onclick: () => {
          chooseScheme(isDark() ? 'light' : 'dark');
          this.showScheme();
        },
      },
      texts.dark,
    );
    this.showScheme = () => dark.setAttribute('aria-pressed', String(isDark()));
    this.showScheme();
    this.stopLinks();
    // Links keep the settings of this moment.
    this.stopLinks = state.onSet(() => {
      for (const { link, to } of links) link.setAttribute('href', to());
    });
    document.body.replaceChildren(
      h(
        'a',
        {
          class: 'skip',
          href: '#view',
          onclick: (event) => {
            // The address holds the settings.
            event.preventDefault();
            this.main.focus();
          },
        },
        texts.skip,
      ),
      h(
        'header',
        { class: 'site' },
        h('a', { class: 'brand', href: state.link({ view: 'explain' }) }, 'Score-CAM'),
        h(
          'nav',
          { 'aria-label': texts.navigation },
          h(
            'ul',
            {},
            ...pages,
            h(
              'li',
              {},
              h(
                'a',
                { href: `./documentation${language === 'en' ? '' : `.${language}`}.html` },
                texts.documentation,
              ),
            ),
          ),
        ),
        h('nav', { class: 'languages', 'aria-label': texts.language }, h('ul', {}, ...languages)),
        dark,
      ),
      this.main,
      h('footer', { class: 'site' }, h('p', {}, texts.privacy)),
    );
  }
}
