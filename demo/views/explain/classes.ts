import { percent } from '../../../cli/words';
import type { ClassScore } from '../../../src/index';
import { h } from '../../dom';

/** A button for each of the likeliest classes. All of them come from the same run. */
export class ClassList {
  readonly element = h('div', { id: 'classes', class: 'classes' });

  constructor(private readonly onChoose: (index: number) => void) {}

  /** Buttons stay where their number does, so that one keeps the focus while a camera's classes change. */
  show(top: readonly ClassScore[], pressed: number | undefined): void {
    while (this.element.children.length > top.length) this.element.lastElementChild?.remove();
    top.forEach(({ index, label, probability }, at) => {
      const button = (this.element.children[at] as HTMLButtonElement | undefined) ?? this.add();
      const [name, share] = button.children as unknown as [HTMLElement, HTMLElement];
      name.textContent = label;
      share.textContent = percent(probability);
      button.dataset.index = String(index);
      button.style.setProperty('--share', `${100 * probability}%`);
      button.setAttribute('aria-pressed', String(index === pressed));
    });
  }

  private add(): HTMLButtonElement {
    const button = h(
      'button',
      { type: 'button', onclick: () => this.onChoose(Number(button.dataset.index)) },
      // What networks know is named in English.
      h('span', { lang: 'en' }),
      h('span'),
    );
    this.element.append(button);
    return button;
  }
}
