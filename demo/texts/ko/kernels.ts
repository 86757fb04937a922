import type en from '../en/kernels';
import work from './work';

const texts: typeof en = {
  work,
  heading: '커널',
  lead:
    '이 사이트의 모든 계산은 직접 작성한 이 WGSL 커널들이 합니다. 각 커널이 이 기기에서 마지막으로 한 일과, 측정했을 때의 ' +
    '성능을 보여 줍니다.',
  busy: '이미 측정하거나 실행하는 중입니다. 잠시 기다려 주세요.',
  figures: '수치 보기',
  columns: { what: '항목', time: 'ms', share: '한계 대비' },
  adapter: {
    title: '이 어댑터',
    text:
      '최고 성능에 대한 비율을 말하려면 최고 성능을 알아야 합니다. 브라우저는 알려 주지 않으므로 직접 잽니다. 레지스터에서 ' +
      '곱셈과 덧셈만 하는 커널들 중 가장 빠른 것, 메모리만 옮기는 커널들 중 가장 빠른 것입니다. 이 둘이 한계(루프라인)를 ' +
      '이룹니다. 바이트당 연산 수가 정해진 커널이 낼 수 있는 최대치입니다.',
    name: '어댑터',
    clock: '시계',
    gpuClock: '디스패치마다 GPU 자체의 시계(timestamp-query)',
    wall: '제출 단위의 벽시계: 여기에는 timestamp-query가 없습니다',
    peak: '측정한 최고 성능',
    unknown: '아직 측정하지 않음',
    peaks: (gflops, gbps) => `${gflops} GFLOP/s, ${gbps} GB/s`,
    features: '사용 중인 기능',
    measure: '최고 성능 측정',
    measuring: '곱셈-덧셈과 메모리를 측정하는 중 ...',
  },
  last: {
    title: '마지막 디스패치',
    text:
      '방금 모든 디스패치의 앞뒤에 타임스탬프를 찍으며 설명을 한 번 실행했습니다. 시간이 어느 커널에 쓰였는지 보여 줍니다. ' +
      '아래 목록에는 커널마다 가장 오래 걸린 디스패치들이 있습니다.',
    without:
      '이 기기에는 timestamp-query가 없어 디스패치 하나하나의 시간을 잴 수 없습니다. 아래의 측정은 제출 단위의 벽시계를 씁니다.',
    done: (dispatches, passes) =>
      `${passes}번 통과하는 설명의 디스패치 ${dispatches}개를 측정했습니다.`,
    none: (passes) => `${passes}번 통과하는 설명을 실행했지만, 디스패치를 잴 시계가 없습니다.`,
    chart: (total, longest, share) =>
      `설명 한 번의 커널별 시간, GPU에서 모두 ${total} ms. 가장 많은 ${share}가 ${longest}에 쓰였습니다.`,
    bar: (count, time, share) => `${count}번에 ${time} ms, ${share}`,
    axis: '밀리초',
    columns: { kernel: '커널', count: '디스패치', time: 'ms', share: '비율' },
  },
  layers: {
    title: '층별로 본 한 번의 통과',
    text:
      '마스크를 씌우지 않은 그림이 한 번 통과할 때의 디스패치를 층별로 더하고, 층의 연산 수로 속도를 구했습니다. 작은 그림 ' +
      '한 장으로는 큰 어댑터를 채우지 못합니다. 마스크를 씌운 통과를 묶어서 실행하는 까닭입니다.',
    chart: (total) => `한 번 통과할 때 층별 시간, 모두 ${total} ms.`,
    bar: (time, gflops) => `${time} ms, ${gflops} GFLOP/s`,
    axis: '밀리초',
    direct:
      '* Winograd 방식은 곱셈이 4분의 1입니다. 비교할 수 있도록 직접 합성곱의 연산 수로 세었으므로 최고 성능을 넘을 수 있으며, ' +
      '그 비율은 나타내지 않습니다.',
  },
  ladder: {
    title: '사다리',
    text: [
      '같은 층을 한 번에 한 가지 아이디어씩 바꾸며 계산합니다. 정의를 그대로 옮긴 것에서 라이브러리가 실제로 쓰는 것까지입니다. ' +
        '어느 단이 가장 빠른지는 어댑터에 따라 다르고, 라이브러리는 어댑터에 맞추어 고릅니다. 몇 초에서 1분쯤 걸립니다.',
    ],
    names: { '3x3': '3x3 합성곱', 'fully connected': '완전 연결층' },
    climb: (name) => `오르기: ${name}`,
    climbing: (name) => `측정하는 중: ${name} ...`,
    chart: (group, gain) => `${group}: 단마다의 속도. 가장 빠른 단은 첫 단보다 ${gain}배 빠릅니다.`,
    bar: (time, gflops) => `${time} ms, ${gflops} GFLOP/s`,
    idea: '아이디어',
    done: (best, gain) => `여기에서 가장 빠른 것: ${best}, 첫 단의 ${gain}배.`,
  },
  roof: {
    title: '한계와의 비교',
    text:
      '이 기기에서 실행할 수 있는 모든 커널을 VGG-16의 크기로 하나씩 잽니다. 점은 커널이고 선은 한계입니다. 비탈에서는 메모리가, ' +
      '평평한 곳에서는 연산이 한계입니다. 바이트는 텐서를 한 번씩만 센 것이므로 캐시에 머무는 커널은 비탈 위로 올라갈 수 ' +
      '있습니다. 소프트웨어 어댑터에서는 몇 분이 걸리며, 이 페이지를 떠나면 멈춥니다.',
    measure: '모든 커널 측정하기',
    measuring: '모든 커널을 측정하는 중 ...',
    chart: (kernels, gflops, gbps, best, share) =>
      `한계 ${gflops} GFLOP/s, ${gbps} GB/s 아래의 측정 ${kernels}개. 한계에 가장 가까운 것은 ${best}(${share})입니다.`,
    done: (kernels) => `측정 ${kernels}개.`,
  },
  all: {
    title: '모든 커널',
    text: '커널마다 식, 모양, 비용을 적은 머리말과 소스가 있습니다.',
    kinds: {
      convolution: '합성곱',
      winograd: 'Winograd 합성곱',
      graph: '분기가 있는 신경망 전용',
      linear: '완전 연결층',
      layers: '그 밖의 층',
      maps: '활성화 맵',
      tiles: '마스크가 닿는 타일',
      inputs: '통과의 시작',
      shared: '커널이 가져다 쓰는 모듈',
      ladder: '사다리와 테스트 전용',
    },
    time: (count, time) => `디스패치 ${count}번에 ${time} ms`,
    variants: (names) => `이 파일로 만든 커널: ${names}.`,
    source: (file) => `${file}의 소스`,
    measure: '측정하기',
    measuring: '측정하는 중 ...',
    measured: (file) => `${file}, 단독, VGG-16의 크기`,
    unmeasured: '이 기기에서 실행할 수 있는 측정이 없습니다.',
    done: '측정했습니다.',
    dispatches: (shown, of) =>
      shown < of ? `마지막 디스패치 ${of}개 중 가장 오래 걸린 ${shown}개` : '마지막 디스패치',
    columns: {
      label: '항목',
      variant: '커널',
      workgroups: '워크그룹',
      sizes: '크기와 매개변수',
      buffers: '버퍼',
      time: 'ms',
    },
  },
};

export default texts;
