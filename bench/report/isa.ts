import { gpuColumns, predictions } from '../isa/predictions';
import { COLUMNS, rowsOf } from '../isa/table';
import { paragraph, section, table } from './html';
import type { Material } from './material';

/** What a compiler makes of the kernels for GPUs that need not be there, and what follows from it. */
export function isaPart({ file: { isa } }: Pick<Material, 'file'>): string {
  if (!isa) return '';
  return section(
    'Compiled for GPUs that were not there',
    paragraph(
      `${isa.compiler} compiled every kernel that a GPU runs for ${isa.chips.map(({ device }) => device).join(', ')}. Kinds of instructions are those of the hot loop, of a wave; multiply-adds among them are the share of the peak that the kernel can reach at most.`,
    ),
    table('Kernels as compiled', COLUMNS, rowsOf(isa)),
    paragraph(
      'Predicted, never measured: seconds for 512 masks of VGG-16, nothing skipped, from work counted, published peaks and the shares above.',
    ),
    table('Predicted seconds', gpuColumns, predictions(isa.ways)),
  );
}
