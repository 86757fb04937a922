import type { Method } from '../../../src/index';
import type en from '../en/explain';

const summaries: Readonly<Record<Method, string>> = {
  'score-cam': '맵 하나가 보여 주는 곳만 남기고 가린 뒤 다시 물어본다',
  'faster-score-cam': '가장 많이 변하는 맵들만으로 하는 Score-CAM',
  'cluster-cam': '비슷한 맵끼리 묶어 묶음마다 마스크 하나를 쓰는 Score-CAM',
  'ss-cam': '맵에 잡음을 여러 번 더한 Score-CAM의 평균',
  'is-cam': '마스크를 점점 강하게 한 Score-CAM의 평균',
  'group-cam': '기울기로 맵들을 묶어 더하고, 묶음을 마스크로 하여 다시 물어본다',
  'opti-cam': '마스크로 썼을 때 점수가 가장 높아지는 맵들의 합을 찾는다',
  rise: '이미지를 무작위로 가리고 다시 물어본다. 층을 들여다보지 않는다',
  'ablation-cam': '맵을 하나 빼고 마지막 층들에 다시 물어본다',
  'recipro-cam': '맵들의 한 위치만 남기고 마지막 층들에 다시 물어본다',
  'grad-cam': '어떤 맵이 중요한지 기울기에 물어본다',
  'grad-cam++': '어떤 맵이 중요한지 기울기에 묻되, 클래스를 지지하는 것만 듣는다',
  'hires-cam': '위치마다 기울기를 그대로 쓴다. 더 세밀하고 잡음도 많다',
  'layer-cam': '위치마다 클래스를 지지하는 기울기만 쓴다',
  'grad-cam-elementwise': '위치마다 기울기를 그대로 쓰되, 클래스를 지지하는 것만 더한다',
  'xgrad-cam': '어떤 맵이 중요한지 기울기에 묻되, 맵이 활성화된 곳에서 듣는다',
  'shapley-cam': 'Grad-CAM에서 점수의 굽은 정도를 뺀 것. ReLU 신경망은 굽지 않는다',
  'refine-cam': '여러 층의 Grad-CAM++를 곱한다. 앞 층은 윤곽을, 뒤 층은 위치를 준다',
  'full-grad': '무엇이 점수에 더해지는지 이미지와 모든 편향의 기울기에 물어본다',
  'eigen-grad-cam': '기울기를 곱한 맵들에 가장 공통된 것을 보인다',
  'eigen-cam': '맵들에 가장 공통된 것을 보인다. 클래스를 묻지 않는다',
  'kpca-cam': '위치들을 굽은 척도로 견주는 Eigen-CAM. 클래스를 묻지 않는다',
  fem: '두드러진 부분이 많은 맵을 크게 본다. 클래스를 묻지 않는다',
  cam: '풀링 뒤의 가중치를 맵의 가중치로 삼는다',
};

const texts: typeof en = {
  heading: '신경망은 어디를 보았을까?',
  lead:
    'Score-CAM은 신경망의 한 채널이 본 부분만 남기고 이미지를 가린 뒤 신경망에 다시 물어봅니다. 모든 채널에 대해 그렇게 ' +
    '합니다. 모든 계산은 이 기기의 GPU에서 이루어지며, 이미지는 이 페이지를 떠나지 않습니다.',

  image: '이미지',
  hint: '이미지를 여기에 끌어다 놓거나 붙여 넣으세요',
  choose: '이미지 선택',
  photograph: '사진 찍기',
  camera: '실시간 카메라',
  cameraStop: '카메라 끄기',
  still: '이 순간을 설명하기',
  sample: '예제 사용',
  low: '덜 중요함',
  high: '더 중요함',
  opacity: '이미지 위 히트맵',
  colours: '색상',
  colourMaps: { turbo: 'Turbo', viridis: 'Viridis', magma: 'Magma', jet: 'Jet', grey: '회색' },
  copyLink: '이 설정의 링크 복사',
  copied: '복사했습니다.',

  noImage: '아직 이미지가 없습니다',
  notYet: '아직 설명되지 않은 이미지',
  captionFirst: (label, done, total) =>
    `${label}에 대한 첫 히트맵을 얹은 이미지, ${total}번 중 ${done}번 통과`,
  caption: (label) => `${label}에 대한 히트맵을 얹은 이미지`,
  captionLive: (label) => `${label}에 대한 히트맵을 얹은 카메라 화면`,

  controls: '조작',
  loading: (name) => `${name} 불러오는 중 ...`,
  looking: '살펴보는 중 ...',
  ready: '준비되었습니다.',
  cancel: '취소',
  cancelled: '취소했습니다.',
  again: '다시 시도',
  first: (label) => `${label}에 대한 첫 맵이 나왔습니다. 점점 선명해집니다 ...`,
  here: (label, share, cost) => `여기를 보고 찾은 것: ${label} (${share}). ${cost}.`,
  flat: (label) => `${label}에 대한 맵이 평평합니다. 어느 곳도 다른 곳보다 중요하지 않습니다.`,
  costScoreCam: (evaluated, constant) =>
    `${evaluated}번 통과, 변하지 않는 채널 ${constant}개는 건너뜀`,
  cost: (forward, backward, head) => {
    const parts = [
      ...(forward > 0 ? [`순방향 ${forward}번`] : []),
      ...(backward > 0 ? [`역방향 ${backward}번`] : []),
      ...(head > 0 ? [`마지막 층들만 ${head}번`] : []),
    ];
    return parts.length > 0 ? `통과: ${parts.join(', ')}` : '다시 계산한 통과는 없음';
  },
  progress: '진행 상황',
  passes: (done, total, left) => `${total}번 중 ${done}번 통과${left}`,
  measurements: (done, total, left) => `${total}번 중 ${done}번 측정${left}`,
  weightsSoFar: (done, total, rate, left) => `가중치: ${total} 중 ${done}, 초당 ${rate}${left}`,
  left: (time) => `, 약 ${time} 남음`,
  seconds: (count) => `${count}초`,
  minutes: (count) => `${count}분`,

  cameraOn: (method) => `카메라 화면을 ${method}(으)로 한 장면씩 설명합니다.`,
  cameraOff: '카메라가 꺼져 있습니다.',
  cameraHidden: '페이지가 가려져서 카메라를 껐습니다.',
  cameraRefused: (why) =>
    `사용할 수 있는 카메라가 없습니다: ${why} 브라우저에서 허용하거나 이미지를 선택하세요.`,
  rate: (perSecond, method) => `초당 이미지 ${perSecond}장, ${method}`,

  doubtEven: (share, count) =>
    `신경망이 답을 모릅니다. 가장 그럴듯한 클래스도 ${share}이고, ${count}개 클래스가 모두 비슷합니다. 맵이 보여 주는 것은 ` +
    '큰 의미가 없습니다.',
  doubtDrawings:
    '이 신경망은 그려진 도형만 배웠습니다. 사진을 주어도 자신이 아는 도형 가운데 하나로 답합니다.',
  offer: (name, size) => `사진을 아는 ${name} 불러오기 (${size})`,
  wanted: (name, size) => `이 링크는 신경망 ${name}에 대한 것이며, ${size}를 내려받아야 합니다.`,
  load: '불러오기',
  loadNamed: (name, size) => `${name} 불러오기 (${size})`,

  classes: '무엇을 찾은 곳을 볼까요?',
  how: '설명 방법',
  method: '방법',
  layer: '층',
  layerUsual: (name) => `${name}, 기본값`,
  layerNamed: (name, channels, width, height) => `${name}: ${width} x ${height} 맵 ${channels}개`,
  summaryOf: (method) => summaries[method],
  price: (summary, forward, backward, head) => {
    const parts = [
      forward === 1 ? '1번 통과' : `최대 ${forward}번 통과`,
      ...(backward > 0 ? [`역방향 ${backward}번`] : []),
      ...(head > 0 ? [`마지막 층들만 ${head}번`] : []),
    ];
    return `${summary}: ${parts.join(', ')}.`;
  },

  facts: (name, count, known, size, dtype) =>
    `신경망 ${name}은(는) ${count}가지를 압니다: ${known}. 가중치는 ${dtype} 형식으로 ${size}입니다`,
  andSoOn: ' 등',
  kept: ' (지난 방문 때 저장됨)',
  runsOn: (adapter) => `${adapter}에서 실행됩니다.`,
  runsSlowly: (adapter) => `${adapter}에서 실행되므로 시간이 조금 걸립니다.`,
  notKept: (why) => `가중치를 저장할 수 없었습니다: ${why}.`,

  network: '다른 신경망',
  networkLabel: '신경망',
  dtype: '저장 형식',
  dtypes: { f16: 'f16: 절반 크기', int8: 'int8: 4분의 1 크기', f32: 'f32: 학습된 그대로' },
  builtIn: '장면: 그려진 도형, 내장됨',
  photographs: (name, count, size) => `${name}: 사진, ${count}개 클래스, ${size}`,
  weights: '내 디스크의 가중치',
  noteBuiltIn: '이 프로젝트의 작은 신경망이며, 이미 여기에 있습니다.',
  noteFiles: 'tensorflowjs_converter가 만든 model.json과 모든 조각 파일을 함께 선택하세요.',
  noteDownload: (size) =>
    `약 ${size}를 내려받으며, 브라우저가 선택한 형식으로 보관합니다. 내 디스크에서는 같은 신경망의 파일, 예를 들어 ` +
    'torchvision이나 timm의 safetensors 또는 .pth 파일을 쓸 수 있습니다.',
  storage: (size) => `이 사이트는 이 브라우저에 ${size}를 보관하고 있습니다.`,
  remove: '지우기',
  removed: '이제 아무것도 보관하지 않습니다. 불러온 것은 페이지를 닫을 때까지 남아 있습니다.',

  beside: '여러 방법 나란히 보기',
  besideLead: '같은 이미지와 클래스를 선택한 방법마다 설명합니다.',
  besideWaits: '차례를 기다리는 중 ...',
  besideDone: (share) => `${share} 걸림`,

  errorNoWebgpu: '이 페이지는 WebGPU로 계산하는데, 여기에서는 사용할 수 없습니다.',
  errorOther: '문제가 생겼습니다:',
  errorLead: {
    limit: '이 GPU의 한계를 넘습니다.',
    kernel: 'GPU 계산을 시작하지 못했습니다.',
    'device-lost': 'GPU와 연결이 끊어졌습니다. 다시 시도하세요.',
    'out-of-memory': 'GPU 메모리가 부족합니다.',
    manifest: '모델 설명 파일에 문제가 있습니다.',
    weights: '가중치를 읽을 수 없습니다.',
    network: '이 신경망은 계산할 수 없습니다.',
    image: '이 이미지를 읽을 수 없습니다.',
    option: '이 설정은 사용할 수 없습니다.',
    'not-finite': '계산 결과가 유한하지 않습니다.',
    disposed: '이미 해제된 신경망입니다.',
  },
  sampleMissing: '예제를 가져올 수 없습니다:',
};

export default texts;
