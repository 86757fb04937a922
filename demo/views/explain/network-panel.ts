import type { WeightDtype } from '../../../src/index';
import { h } from '../../dom';
import { keptBytes, removeKept } from '../../kept';
import { BUILT_IN, NETWORKS, networkNamed } from '../../networks';
import type { Choice } from '../../open-network';
import { megabytes, type Texts } from './wording';

/** Which network, in which form, from where; and what is kept of networks here. */
export class NetworkPanel {
  readonly element: HTMLDetailsElement;
  private readonly model: HTMLSelectElement;
  private readonly dtype: HTMLSelectElement;
  private readonly dtypeLabel: HTMLLabelElement;
  private readonly files: HTMLInputElement;
  private readonly load: HTMLButtonElement;
  private readonly note = h('p', { id: 'network-note', class: 'small' });
  private readonly storage = h('div', { class: 'actions small' });

  constructor(
    private readonly texts: Texts,
    chosen: Choice,
    onChoose: (choice: Choice) => void,
  ) {
    const option = (value: string, text: string): HTMLOptionElement => new Option(text, value);
    this.model = h(
      'select',
      { id: 'model', onchange: () => this.describe() },
      ...NETWORKS.map(({ name, knows, bytes }) =>
        option(
          name,
          name === BUILT_IN ? texts.builtIn : texts.photographs(name, knows, megabytes(bytes)),
        ),
      ),
    );
    this.dtype = h('select', { id: 'dtype' });
    this.dtypeLabel = h('label', { for: 'dtype' }, texts.dtype);
    this.load = h(
      'button',
      { id: 'load', type: 'button', onclick: () => onChoose(this.choice) },
      texts.load,
    );
    this.files = h('input', {
      id: 'weights',
      class: 'visually-hidden',
      type: 'file',
      multiple: true,
      onchange: () => {
        const files = [...(this.files.files ?? [])];
        if (files.length > 0) onChoose({ ...this.choice, files });
        // Choosing the same files again is a change, too.
        this.files.value = '';
      },
    });
    this.element = h(
      'details',
      { id: 'network', ontoggle: () => void this.describeStorage() },
      h('summary', {}, texts.network),
      h(
        'div',
        { class: 'choices' },
        h('label', { for: 'model' }, texts.networkLabel),
        this.model,
        this.dtypeLabel,
        this.dtype,
      ),
      this.note,
      h(
        'div',
        { class: 'actions' },
        this.load,
        this.files,
        h('label', { for: 'weights', class: 'button' }, texts.weights),
      ),
      this.storage,
    );
    this.show(chosen);
  }

  /** What is at work. */
  show({ model, dtype }: Choice): void {
    this.model.value = model;
    this.describe();
    if (dtype) this.dtype.value = dtype;
  }

  private get choice(): Choice {
    const { hidden, value } = this.dtype;
    return { model: this.model.value, dtype: hidden ? undefined : (value as WeightDtype) };
  }

  private describe(): void {
    const { texts } = this;
    const network = networkNamed(this.model.value);
    if (!network) return;
    const isBuiltIn = network.name === BUILT_IN;
    const dtypes = network.dtypes.filter((form) => form !== undefined);
    this.dtype.replaceChildren(...dtypes.map((form) => new Option(texts.dtypes[form], form)));
    // Nothing to choose from.
    this.dtype.hidden = dtypes.length === 0;
    this.dtypeLabel.hidden = this.dtype.hidden;
    this.files.disabled = isBuiltIn;
    this.load.disabled = network.needsFiles;
    this.load.textContent =
      isBuiltIn || network.needsFiles
        ? texts.load
        : texts.loadNamed(network.name, megabytes(network.bytes));
    this.note.textContent = isBuiltIn
      ? texts.noteBuiltIn
      : network.needsFiles
        ? texts.noteFiles
        : texts.noteDownload(megabytes(network.bytes));
  }

  private async describeStorage(): Promise<void> {
    const bytes = await keptBytes().catch(() => undefined);
    // Browsers count some kB for nothing at all.
    if (bytes === undefined || bytes < 1e5) return this.storage.replaceChildren();
    const remove = async (): Promise<void> => {
      await removeKept();
      this.storage.replaceChildren(h('p', { role: 'status' }, this.texts.removed));
    };
    this.storage.replaceChildren(
      h('p', {}, this.texts.storage(megabytes(bytes))),
      h('button', { type: 'button', onclick: () => void remove() }, this.texts.remove),
    );
  }
}
