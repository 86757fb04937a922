import type en from '../en/why';
import work from './work';

const texts: typeof en = {
  work,
  heading: '왜 그래디언트를 쓰지 않는가?',
  lead:
    'Score-CAM은 맵마다 신경망을 한 번씩 실행합니다. 그래디언트라면 한 번의 통과로 얻을 수 있습니다. 그런데도 쓰지 않는 ' +
    '이유와, 그래디언트를 옹호할 점을 이 기기가 지금 계산하는 숫자로 보여 줍니다.',
  done: '아래의 숫자는 모두 방금 계산한 것입니다.',
  figures: '수치 보기',
  cam: {
    title: '1. CAM에는 VGG에 없는 구조가 필요하다',
    text: [
      '모든 것의 시작인 CAM(Zhou 외 2016)은 그래디언트도 추가 계산도 필요 없습니다. 전역 평균 풀링 뒤에 있는 마지막 층의 ' +
        '가중치가 곧 클래스에 대한 각 맵의 중요도이기 때문입니다. 다만 맵과 클래스 사이에 다른 층이 있어서는 안 됩니다.',
    ],
    has: (name) => `${name}의 맵 뒤에 있는 것`,
    needs: 'CAM에 필요한 것',
    kinds: {
      conv: '합성곱',
      linear: '완전 연결',
      maxpool: '최대 풀링',
      globalavgpool: '전역 평균 풀링',
      windowconv: '합성곱',
      windowpool: '풀링',
      add: '합',
      multiply: '곱',
      concat: '연결',
      activation: '활성화',
    },
    pooling: (channels) => `전역 평균 풀링: 맵 ${channels}장이 각각 숫자 하나가 됨`,
    linear: (classes) => `완전 연결층 하나: 클래스 ${classes}개`,
    refused: '이 신경망에 CAM을 요청하면 라이브러리는 이렇게 답합니다:',
    defined: '이 신경망에는 그런 구조가 있으므로 CAM이 정의됩니다.',
    agreement: (difference) =>
      '그런 구조가 있으면 그래디언트도 같은 답을 줍니다. 그 뒤에서 클래스의 그래디언트는 바로 그 가중치이기 때문이며, ' +
      'Grad-CAM은 이렇게 CAM을 일반화합니다. 같은 층에 무작위 가중치의 풀링 구조를 붙이면, CAM과 Grad-CAM의 가중치는 ' +
      `크기 비율을 제외하고 최댓값의 ${difference} 이내로 일치합니다.`,
  },
  saturation: {
    title: '2. 그래디언트는 포화된다',
    text: [
      '그래디언트는 지금 조금 바꾸면 어떻게 되는지를 말합니다. 신경망이 이미 확신하고 있으면, 아무리 중요한 근거라도 조금 ' +
        '바꾸어서는 달라지는 것이 없습니다. 그래서 Sundararajan 외(2017)처럼 근거가 없는 평균색에서 온전한 그림까지 ' +
        '걸어가며 점수와 그래디언트를 살펴봅니다.',
    ],
    alt: (label) => `그림: ${label}`,
    chart:
      '평균색(0)에서 온전한 그림(1)까지: 확률, 그리고 로짓과 두 그래디언트를 각각의 최댓값에 대한 비율로 나타낸 것.',
    axes: { t: '그림의 세기', share: '최댓값에 대한 비율' },
    series: {
      probability: '확률',
      ofProbability: '확률의 그래디언트',
      logit: '로짓',
      ofLogit: '로짓의 그래디언트',
    },
    columns: {
      t: '세기',
      probability: '확률',
      logit: '로짓',
      ofProbability: '확률의 그래디언트',
      ofLogit: '로짓의 그래디언트',
    },
    found: (label, p, probabilityLeft, logitLeft, peak) =>
      `신경망은 "${label}"을(를) ${p}로 확신합니다. 확률의 그래디언트는 그림이 온전해지기 훨씬 전인 세기 ${peak}에서 가장 ` +
      `큽니다. 온전한 그림에서는 그중 ${probabilityLeft}만 남고, 로짓의 그래디언트는 ${logitLeft}가 남습니다. 그래디언트의 ` +
      '크기는 Grad-CAM의 가중치, 곧 맵별 평균 그래디언트의 유클리드 노름입니다.',
    holds: '확률은 포화됩니다. 근거가 모두 있는데도 그래디언트는 거의 사라졌습니다.',
    fails: '이 그림에서는 확률이 포화되지 않습니다.',
    logit: (left) =>
      '논문대로의 Grad-CAM은 소프트맥스 이전인 로짓의 그래디언트를 씁니다. 이것은 소프트맥스의 포화를 피하므로 여기에서는 ' +
      `${left}가 남습니다. 그러나 ReLU의 포화는 피하지 못합니다.`,
    silent: (share) =>
      `여기에서 ReLU는 맵과 클래스 사이의 값 가운데 ${share}를 0으로 만들었습니다. 이런 값을 통해서는 그래디언트가 전혀 ` +
      '돌아오지 않습니다. 그림이 조금 달랐다면 무엇을 말했을지와 상관없이 그렇습니다.',
  },
  confidence: {
    title: '3. 거짓 확신',
    text: [
      '그래디언트 가중치가 큰 맵이 실제로도 더 많이 기여할까요? 맵마다 두 가지 값이 있습니다. Grad-CAM이 주는 가중치와, ' +
        '그 맵을 통해 그림을 볼 때 Score-CAM이 재는 신뢰도 증가량입니다.',
    ],
    axes: {
      title: '모든 맵, 가중치 순서',
      weight: 'Grad-CAM의 가중치(로짓의 평균 그래디언트)',
      increase: '신뢰도 증가량',
    },
    columns: { map: '맵', weight: 'Grad-CAM의 가중치', increase: '신뢰도 증가량' },
    chart: (maps, label, pairs) =>
      `맵 ${maps}장, 클래스 ${label}: Grad-CAM의 가중치와 신뢰도 증가량. ` +
      (pairs
        ? `화살표는 거짓 확신이 가장 심한 쌍을 가중치가 큰 쪽에서 증가량이 큰 쪽으로 잇습니다: ${pairs}`
        : ''),
    pair: (larger, smaller) =>
      `맵 ${larger}은(는) 맵 ${smaller}보다 가중치가 크지만 덜 기여합니다.`,
    found: (maps, falsePairs, pairs, share, correlation) =>
      `맵 ${maps}장에서 가중치와 증가량의 순위 상관은 ${correlation}입니다(스피어만). ${pairs}쌍 중 ${falsePairs}쌍(${share})` +
      '에서 가중치가 더 큰 맵의 증가량이 더 작습니다.',
    nothing: '모든 맵의 가중치가 같거나 기여가 같아서 비교할 것이 없습니다.',
    measured:
      '그래디언트가 맵에 대해 약속한 것이 꼭 이루어지지는 않습니다. Score-CAM은 그래디언트에 묻지 않고 맵을 직접 시험합니다.',
    agree: '이 그림에서는 그래디언트의 순서가 측정한 순서와 같아서 거짓 확신이 나타나지 않습니다.',
    whole: '그림',
    wholeCaption: (label, p) => `그림 전체: ${label} ${p}`,
    masked: (channel) => `맵 ${channel}을(를) 통해 본 그림`,
    maskedCaption: (channel, weight, points) =>
      `맵 ${channel}: 가중치 ${weight}, 기여 ${points}퍼센트포인트`,
    strip:
      'Score-CAM 논문의 그림 3과 같은 구성입니다. 왼쪽에서 오른쪽으로 가중치는 작아지고 맵의 기여는 커집니다. 논문에서는 ' +
      'VGG-16과 사진 한 장에서 가중치가 0.035, 0.027, 0.021이었고, 가중치가 가장 큰 맵의 기여가 가장 작았습니다. ' +
      '기여는 기준 입력의 확률에 대한 퍼센트포인트입니다.',
  },
  classes: {
    title: '4. 한 그림 속의 두 클래스',
    text: [
      '맵은 클래스를 구별할 수 있어야 쓸모가 있습니다. 한 물체를 묻고 다른 물체를 물으면 각 방법은 어디를 볼까요? Score-CAM은 ' +
        '두 클래스에 같은 마스크 계산을 쓰고, Grad-CAM은 클래스마다 한 번씩 거꾸로 갑니다.',
    ],
    increase: 'Score-CAM, 식 6',
    alt: (way, label) => `${way}이(가) 본 ${label}의 위치`,
    caption: (way, label) => `${way}: ${label}`,
    columns: {
      method: '방법',
      asked: '클래스',
      own: '해당 상자 안의 에너지',
      other: '다른 상자 안',
      apart: '구별',
    },
    yes: '예',
    no: '아니요',
    apart:
      '모든 맵에서 물어본 물체의 상자(실선) 안의 에너지가 다른 상자(점선)보다 많습니다. 그래디언트로도 이 클래스들은 ' +
      '구별됩니다.',
    mixed: (count) => `맵 ${count}장에서는 다른 상자의 에너지가 같거나 더 많습니다.`,
    noBoxes:
      '가장 가능성이 높은 두 클래스입니다. 물체의 위치를 알 수 없으므로 수치는 세지 않습니다.',
  },
  honesty: {
    title: '이 신경망이 보여 줄 수 없는 것',
    text: [
      '이 사이트의 작은 신경망은 맵이 물체의 상자 안에 모이도록 일부러 학습되었습니다. 그래서 어떤 방법으로도 맵이 좋게 나오고, ' +
        '그래디언트에도 유리합니다. 따라서 이 페이지는 논증의 예시일 뿐 증명이 아닙니다.',
      '그림도 고른 것입니다. 2번의 장면은 학습에 쓰지 않은 장면 60개 중 신경망이 가장 확신하는 것이고, 예제는 60개 중 가장 잘 ' +
        '설명되는 것입니다.',
      '물체가 둘인 장면 200개, 방법마다 맵 400장에서 이 신경망으로는 Score-CAM이 Grad-CAM을 이기지 못했습니다. 물어본 상자 ' +
        '안의 에너지는 66.4 %(식 6으로는 76.7 %)였고 Grad-CAM은 82.3 %였습니다. ImageNet에 대한 논문의 결과는 반대로, ' +
        'Score-CAM의 맵은 신뢰도를 31.5 %, Grad-CAM의 맵은 47.8 % 떨어뜨립니다. 모든 수치와 어디에서 지는지는 프로젝트의 ' +
        'docs/evaluation.md에 있습니다.',
    ],
  },
};

export default texts;
