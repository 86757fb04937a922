import { bars } from './bars';
import { ms, percent } from './format';
import { figure, section, table } from './html';
import type { Material } from './material';

/** How the time of whole passes is divided among kernels. */
export function kernelShares({ facts, draw }: Material): string {
  const parts = facts.flatMap(({ measurement: { section: part, name, kernels } }) => {
    if (part !== 'whole' || !kernels || kernels.length === 0) return [];
    const total = kernels.reduce((sum, kernel) => sum + kernel.ms, 0);
    // What takes less than a hundredth would only be noise; the table has it all the same.
    const shown = kernels.filter((kernel) => kernel.ms >= total / 100);
    const most = shown[0];
    if (!most || total === 0) return [];
    const columns = [
      { head: 'kernel', of: ({ kernel }: { kernel: string }) => kernel },
      { head: 'ms', of: (row: { ms: number }) => ms(row.ms), isNumber: true },
      { head: 'share', of: (row: { ms: number }) => percent(row.ms / total), isNumber: true },
    ];
    const title = name.replace(/, on the GPU$/, '');
    return [
      `<h3>${title}</h3>`,
      figure(
        `Time of each kernel in ${title}: ${most.kernel} takes ${percent(most.ms / total)} of ${ms(total)} ms.`,
        bars(
          shown.map((kernel) => ({
            name: kernel.kernel,
            value: kernel.ms,
            text: `${percent(kernel.ms / total)}, ${ms(kernel.ms)} ms`,
          })),
          'milliseconds',
          draw,
        ),
        table(`Kernels of ${title}`, columns, kernels),
      ),
    ];
  });
  return parts.length > 0 ? section('Where the time goes, kernel by kernel', ...parts) : '';
}
