import type en from '../en/documentation';

const texts: typeof en = {
  title: '문서',
  lead: '바로 이 버전의 소스에서 만들어졌습니다. 함수, 옵션, 방법의 이름은 코드에서와 같습니다.',
  fromSources: '소스에서 가져온 설명은 영어입니다.',
  contents: '차례',

  start: '내 페이지에서 쓰기',

  element: '요소',
  elementAttributes: '속성',
  elementProperties: '프로퍼티',
  elementMethods: '요소의 메서드',
  elementEvents: '이벤트',
  elementSlots: '슬롯',
  elementParts: 'CSS 파트',
  elementStyles: 'CSS 사용자 정의 속성',
  name: '이름',
  type: '타입',
  usual: '기본값',
  description: '설명',

  methods: '방법',
  methodsLead: (channels, positions) =>
    `각 방법이 하는 일과 이미지 한 장에 필요한 통과 횟수입니다. VGG-16처럼 대상 층에 ${positions} 맵이 ${channels}개 있는 ` +
    '신경망 기준입니다.',
  method: '방법',
  does: '하는 일',
  source: '출처',
  passes: '통과',
  cost: (forward, backward, head) =>
    [
      `순방향 ${forward}`,
      ...(backward > 0 ? [`역방향 ${backward}`] : []),
      ...(head > 0 ? [`마지막 층들 ${head}`] : []),
    ].join(', '),

  options: '방법의 옵션',
  option: '옵션',
  values: '값',
  takenBy: '쓰는 방법',
  range: (least, most, whole) => `${least}부터 ${most}까지의 ${whole ? '정수' : '수'}`,

  api: '함수와 타입',
  evaluation: '평가',
  kinds: {
    function: '함수',
    class: '클래스',
    constant: '상수',
    interface: '인터페이스',
    type: '타입',
  },
};

export default texts;
