import type en from '../en/shell';

const texts: typeof en = {
  title: '신경망은 어디를 보았을까?',
  skip: '본문으로 건너뛰기',
  navigation: '페이지',
  views: {
    explain: '설명하기',
    how: '작동 원리',
    why: '왜 그래디언트가 아닌가',
    kernels: '커널',
  },
  documentation: '문서',
  language: '언어',
  dark: '어둡게',
  loading: '불러오는 중 ...',
  failed: (why) => `이 페이지를 불러올 수 없습니다: ${why} 새로 고침하여 다시 시도하세요.`,
  privacy: '모든 계산은 이 기기의 GPU에서 이루어집니다. 이미지는 이 페이지를 떠나지 않습니다.',
};

export default texts;
