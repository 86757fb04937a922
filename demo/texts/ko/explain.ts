import type en from '../en/explain';

const texts: typeof en = {
  heading: '신경망은 어디를 보았을까?',
  sample: '예제 사용',
  looking: '살펴보는 중 ...',
  here: (label, share) => `여기에서 찾은 것: ${label} (${share}).`,
};

export default texts;
