/** Languages of the site, each by its own name. */
export const LANGUAGES = { en: 'English', ko: '한국어' } as const;

export type Language = keyof typeof LANGUAGES;

const isLanguage = (name: string | undefined): name is Language =>
  name !== undefined && Object.hasOwn(LANGUAGES, name);

/** The one asked for; else the first of the visitor's own that there is; else English. */
export function languageOf(
  asked: string | undefined,
  own: readonly string[] = navigator.languages,
): Language {
  const known = [asked, ...own.map((tag) => tag.split('-')[0])].find(isLanguage);
  return known ?? 'en';
}
