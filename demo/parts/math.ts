/** The equations of the Score-CAM paper (Wang et al. 2020) as MathML, which screen readers read. */

type Content = Element | string;

function m(name: string, ...children: Content[]): MathMLElement {
  const element = document.createElementNS('http://www.w3.org/1998/Math/MathML', name);
  element.append(...children);
  return element as MathMLElement;
}

const i = (name: string): MathMLElement => m('mi', name);
const o = (sign: string): MathMLElement => m('mo', sign);
/** A parenthesis as high as the text: stretched, it would be higher than what it holds. */
const fence = (sign: string): MathMLElement => {
  const element = o(sign);
  element.setAttribute('stretchy', 'false');
  return element;
};
const row = (...children: Content[]): MathMLElement => m('mrow', ...children);
const of = (f: MathMLElement, ...inside: Content[]): MathMLElement =>
  row(f, fence('('), ...inside, fence(')'));
/** Of the layer l, the map k. */
const ofMap = (name: string): MathMLElement => m('msubsup', i(name), i('l'), i('k'));

/** A name of several letters, which stands upright. */
const word = (name: string): MathMLElement => i(name);

const activation = (): MathMLElement => ofMap('A');

export const EQUATIONS = {
  6: () => [
    of(i('C'), activation()),
    o('='),
    of(i('f'), i('X'), o('∘'), ofMap('H')),
    o('−'),
    of(i('f'), m('msub', i('X'), i('b'))),
  ],
  7: () => [ofMap('H'), o('='), of(i('s'), of(word('Up'), activation()))],
  8: () => [
    of(i('s'), activation()),
    o('='),
    m(
      'mfrac',
      row(activation(), o('−'), row(word('min'), activation())),
      row(row(word('max'), activation()), o('−'), row(word('min'), activation())),
    ),
  ],
  9: () => [
    m('msubsup', i('L'), word('Score-CAM'), i('c')),
    o('='),
    of(
      word('ReLU'),
      m('munder', o('∑'), i('k')),
      m('msubsup', i('α'), i('k'), i('c')),
      activation(),
    ),
  ],
} as const satisfies Readonly<Record<number, () => Content[]>>;

export type EquationNumber = keyof typeof EQUATIONS;

export function equation(number: EquationNumber): MathMLElement {
  const math = m('math', ...EQUATIONS[number]());
  math.setAttribute('display', 'block');
  return math;
}
