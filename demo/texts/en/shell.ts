import type { ViewName } from '../../views';

const views: Readonly<Record<ViewName, string>> = {
  explain: 'Explain',
  how: 'How it works',
  why: 'Why not gradients',
  kernels: 'Kernels',
};

export default {
  title: 'Where did the network look?',
  skip: 'Skip to the content',
  navigation: 'Pages',
  views,
  documentation: 'Documentation',
  language: 'Language',
  dark: 'Dark',
  loading: 'Loading ...',
  failed: (why: string) => `This page could not be loaded: ${why} Reload to try again.`,
  privacy: 'Everything is computed on your own GPU. No image leaves this page.',
};
