import type en from '../en/how';
import work from './work';

const texts: typeof en = {
  work,
  heading: '작동 원리',
  lead:
    '그림 한 장이 Score-CAM을 거치는 과정을 단계별로 따라갑니다. 아래의 모든 그림과 숫자는 방금 이 기기에서 실행한 ' +
    '계산의 버퍼에서 그대로 가져온 것입니다.',
  done: (passes, milliseconds) => `신경망을 ${passes}번 통과, ${milliseconds} ms.`,
  picture: {
    title: '1. 신경망이 그림을 본다',
    alt: '신경망이 보는 그림',
    text: (name, width, height, classes) =>
      `신경망 ${name}은(는) ${width} x ${height} 픽셀을 보고 ${classes}개 클래스에 각각 확률을 매깁니다. ` +
      '궁금한 것은 그림의 어느 부분이 그 클래스의 근거인가입니다.',
    choose: '알아볼 클래스',
  },
  maps: {
    title: '2. 활성화 맵',
    map: (channel) => `맵 ${channel}`,
    text: (layer, count, width, height) =>
      `그 과정에서 ${layer} 층은 ${width} x ${height} 크기의 맵 ${count}장을 남깁니다. 맵마다 어떤 특징이 어디에서 ` +
      '발견되었는지를 나타냅니다. 여기에서는 맵마다 가장 작은 값을 어둡게, 가장 큰 값을 밝게 그렸습니다.',
    constant: (count) =>
      count === 0
        ? '값이 모두 같은 맵은 없습니다.'
        : `${count}장은 모든 값이 같습니다. 그런 맵은 아무 곳도 가리키지 않으므로 계산하지 않으며, 가중치는 0이고, 여기에서도 뺐습니다.`,
    sort: '순서',
    sorts: {
      weight: '가중치가 큰 순서',
      increase: '신뢰도 증가량(CIC)이 큰 순서',
      deviation: '표준편차가 큰 순서',
      channel: '번호 순서',
    },
    sameOrder: (baseline) =>
      `가중치 순서와 신뢰도 증가량 순서는 같습니다. 둘의 차이는 기준 입력의 확률 ${baseline}이고, 이는 모든 맵에 똑같기 ` +
      '때문입니다. 맵을 하나 고르면 다음 단계에서 그 맵을 따라갑니다.',
  },
  upsampled: {
    title: '3. 맵을 확대한다',
    text: (mapWidth, mapHeight, width, height) =>
      `${mapWidth} x ${mapHeight}에서 ${width} x ${height}로, 이웃한 네 값 사이를 보간합니다(쌍선형).`,
    alt: (name) => `확대한 ${name}`,
    range: (name, min, max) =>
      `${name}: 층이 남긴 그대로, 그리고 확대한 것. 값의 범위는 ${min}에서 ${max}까지입니다.`,
  },
  normalised: {
    title: '4. 정규화하여 마스크로',
    text: '가장 작은 값은 0(검정), 가장 큰 값은 1(하양)이 됩니다. 그래서 모든 맵이 똑같은 세기로 가립니다.',
    alt: (name) => `${name}(으)로 만든 마스크`,
  },
  masked: {
    title: '5. 마스크를 씌운 그림',
    text:
      '마스크를 그림에 곱합니다. 가려진 곳은 학습 그림의 평균색이 되는데, 신경망에게는 아무것도 없는 상태입니다. 실제 ' +
      '계산에서는 이런 그림이 메모리에 존재하지 않습니다. 첫 합성곱이 값을 읽으면서 바로 가리기 때문입니다. 이 그림은 ' +
      '보여 드리기 위해 같은 라이브러리의 커널로 따로 만든 것입니다.',
    alt: (name) => `${name}의 마스크를 씌운 그림`,
  },
  score: {
    title: '6. 클래스 점수',
    text:
      '신경망이 마스크가 남긴 부분을 다시 봅니다. 이때 클래스가 받는 점수에서 그림이 없을 때의 점수를 뺀 값이 그 맵이 ' +
      '가져오는 신뢰도 증가량입니다.',
    caption: (name, label) => `${name}, 클래스 ${label}`,
    probability: '실제 실행에서 마스크를 씌운 확률',
    again: '5단계의 그림을 직접 통과시킨 확률',
    baseline: '기준 입력의 확률',
    increase: '신뢰도 증가량(퍼센트포인트)',
    whole: '그림 전체의 확률',
    logits: '마스크를 씌운 로짓: 실제 실행; 5단계의 그림',
  },
  sum: {
    title: '7. 가중합',
    text:
      '맵마다 가중치를 곱해 모두 더합니다. 0보다 작은 값은 잘라 내고, 합을 0에서 1 사이로 늘입니다. 슬라이더를 움직여 ' +
      '보세요. 맵은 2단계의 순서대로 더해집니다.',
    slider: '더한 맵의 수',
    count: (count, of, channel, share) =>
      `맵 ${of}장 중 ${count}장, 마지막은 맵 ${channel}; 전체 가중치의 ${share}.`,
    none: '맵이 없으므로 보여 줄 것이 없습니다.',
    off: (most) => `완성된 맵과의 차이는 최대 ${most}입니다.`,
    finished: '완성된 맵과 모든 값이 같습니다.',
    alt: (label, count) => `맵 ${count}장으로 만든 ${label} 히트맵을 겹친 그림`,
    official:
      '논문은 식 6의 증가량을 가중치 α로 씁니다. 저자들의 코드와, 따로 지정하지 않은 이 라이브러리는 기준 입력을 빼지 않고 ' +
      '마스크를 씌운 확률을 그대로 α로 씁니다.',
  },
  equations: {
    6: 'l층의 맵 A k가 가져오는 신뢰도 증가량 C는, 마스크 H k를 씌운 그림 X의 점수 f에서 기준 입력 X b의 점수를 뺀 값입니다.',
    7: '마스크 H k는 맵을 확대(Up)하고 정규화(s)한 것입니다.',
    8: '정규화는 각 값에서 최솟값을 빼고, 최솟값과 최댓값의 차이로 나눕니다.',
    9: '클래스 c의 맵 L은 모든 맵에 가중치 α를 곱해 더한 뒤, 0보다 작은 값을 0으로 만든 것입니다(ReLU).',
  },
  honesty: '식 6~9: Wang 외 2020, "Score-CAM", arXiv 1910.01279.',
};

export default texts;
