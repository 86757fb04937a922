import type en from '../en/work';

const texts: typeof en = {
  loading: '계산하는 중 ...',
  progress: (done, total) => `${total} 중 ${done}`,
  noWebgpu: '이 페이지는 WebGPU로 계산하는데, 여기에서는 사용할 수 없습니다.',
  failed: '실패했습니다:',
};

export default texts;
