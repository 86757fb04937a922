import { h } from '../../dom';
import type { Choice } from '../../open-network';

/** A network that is a click away. */
export interface Offer {
  readonly text: string;
  readonly choice: Choice;
}

/** What there is to say of the network's answer, or of the network that a link asks for. */
export class Note {
  readonly element = h('div', { id: 'note', class: 'note', role: 'status', hidden: true });

  constructor(private readonly onTake: (choice: Choice) => void) {}

  say(text: string, offer?: Offer): void {
    const take = (): void => {
      if (offer) this.onTake(offer.choice);
    };
    this.element.replaceChildren(
      h('p', {}, text),
      ...(offer ? [h('button', { type: 'button', onclick: take }, offer.text)] : []),
    );
    this.element.hidden = false;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
