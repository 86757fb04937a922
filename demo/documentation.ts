/** Light or dark, for the documentation's page; all else in it is plain HTML. */
import { applyScheme, chooseScheme, isDark } from './scheme';

applyScheme();
const button = document.querySelector<HTMLButtonElement>('#dark');
if (button) {
  const show = (): void => button.setAttribute('aria-pressed', String(isDark()));
  button.addEventListener('click', () => {
    chooseScheme(isDark() ? 'light' : 'dark');
    show();
  });
  show();
  button.hidden = false;
}
