import { type ColourMapName, colourMaps } from '../../../src/kernels/maps/colour_maps';
import { h } from '../../dom';
import type { State } from '../../state';
import { ColourScale } from './colour-scale';
import type { Picture } from './picture';
import type { Texts } from './wording';

const COLOUR_MAPS = Object.keys(colourMaps) as readonly ColourMapName[];
const OPACITY = 0.5;
const COLOUR_MAP: ColourMapName = 'turbo';

/** How maps are drawn, as the address says it. */
export function lookOf(state: State): {
  readonly opacity: number;
  readonly colourMap: ColourMapName;
} {
  return {
    opacity: state.number('opacity', 0, 1) ?? OPACITY,
    colourMap: state.oneOf('colours', COLOUR_MAPS) ?? COLOUR_MAP,
  };
}

/**
 * Legend and controls of how a picture is drawn, kept in the address; and a link that restores all settings.
 * @param onChange hears that the picture is drawn otherwise
 */
export function lookControls(
  texts: Texts,
  state: State,
  picture: Picture,
  onChange: () => Promise<void>,
  onError: (error: unknown) => void,
): readonly HTMLElement[] {
  const scale = new ColourScale(picture.colourMap);
  const slider = h('input', {
    id: 'opacity',
    type: 'range',
    min: 0,
    max: 1,
    step: 0.05,
    value: picture.opacity,
    oninput: () => {
      picture.opacity = Number(slider.value);
      state.set({ opacity: picture.opacity === OPACITY ? undefined : slider.value });
      onChange().catch(onError);
    },
  });
  const recolour = async (): Promise<void> => {
    const name = colours.value as ColourMapName;
    state.set({ colours: name === COLOUR_MAP ? undefined : name });
    scale.show(name);
    await picture.recolour(name);
    await onChange();
  };
  const colours = h(
    'select',
    { id: 'colours', onchange: () => void recolour().catch(onError) },
    ...COLOUR_MAPS.map((name) => new Option(texts.colourMaps[name], name)),
  );
  colours.value = picture.colourMap;
  return [
    h(
      'div',
      { class: 'legend', 'aria-hidden': 'true' },
      h('span', {}, texts.low),
      scale.canvas,
      h('span', {}, texts.high),
    ),
    h(
      'div',
      { class: 'choices look' },
      h('label', { for: 'opacity' }, texts.opacity),
      slider,
      h('label', { for: 'colours' }, texts.colours),
      colours,
      linkButton(texts),
    ),
  ];
}

function linkButton(texts: Texts): HTMLElement {
  const said = h('span', { class: 'small', role: 'status' });
  const copy = async (): Promise<void> => {
    // Where there is no clipboard, as on pages without https, the address is still in its bar.
    await navigator.clipboard?.writeText(location.href);
    said.textContent = navigator.clipboard ? texts.copied : location.href;
  };
  const failed = (): void => {
    said.textContent = location.href;
  };
  return h(
    'div',
    { class: 'actions' },
    h(
      'button',
      { id: 'link', type: 'button', onclick: () => void copy().catch(failed) },
      texts.copyLink,
    ),
    said,
  );
}
