export default {
  heading: 'Where did the network look?',
  sample: 'Use the sample',
  looking: 'Looking ...',
  here: (label: string, share: string) => `Here it looked for: ${label} (${share}).`,
};
