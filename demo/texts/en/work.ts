/** What several views say of work under way. */
export default {
  loading: 'Working ...',
  progress: (done: number, total: number) => `${done} of ${total}`,
  noWebgpu: 'This page computes with WebGPU, which is not available here.',
  failed: 'That did not work:',
};
