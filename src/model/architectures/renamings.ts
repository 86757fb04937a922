/*
 * What others call the tensors of networks whose manifests have torchvision's names. timm's ResNets and DenseNets have the
 * same.
 */

export interface Renaming {
  readonly naming: string;
  /** Of a tensor that torchvision calls `name`. */
  rename(name: string): string;
}

export const RENAMINGS: readonly Renaming[] = [
  { naming: 'timm', rename: timmMobileNet },
  {
    // torchvision's own densenet121-a639ec97.pth: names of 2017, which torchvision turns into today's as it loads them.
    naming: 'torchvision of 2017',
    rename: (name) => name.replace(/(denselayer\d+\.(?:norm|conv))([12]\.)/, '$1.$2'),
  },
];

/** Blocks in each stage of MobileNet v2 (Sandler et al. 2018, table 2), as timm numbers them. */
const STAGES = [1, 2, 3, 4, 3, 3, 1];

/**
 * timm's mobilenetv2_100: `conv_stem`, `blocks.stage.block.conv_pw/conv_dw/conv_pwl` with `bn1` to `bn3`, `conv_head`,
 * `classifier`. Source: timm/models/_efficientnet_blocks.py.
 */
function timmMobileNet(name: string): string {
  const found = /^features\.(\d+)\.(.+)\.(\w+)$/.exec(name);
  if (!found) return name.replace(/^classifier\.1\./, 'classifier.');
  const [, feature, rest = '', tensor] = found;
  const index = Number(feature);
  if (index === 0) return `${rest === '0' ? 'conv_stem' : 'bn1'}.${tensor}`;
  if (index === 18) return `${rest === '0' ? 'conv_head' : 'bn2'}.${tensor}`;
  let stage = 0;
  let block = index - 1;
  while (block >= (STAGES[stage] ?? Infinity)) block -= STAGES[stage++] as number;
  // The first block does not expand: it begins with the depthwise convolution.
  const parts =
    index === 1
      ? { 'conv.0.0': 'conv_dw', 'conv.0.1': 'bn1', 'conv.1': 'conv_pw', 'conv.2': 'bn2' }
      : {
          'conv.0.0': 'conv_pw',
          'conv.0.1': 'bn1',
          'conv.1.0': 'conv_dw',
          'conv.1.1': 'bn2',
          'conv.2': 'conv_pwl',
          'conv.3': 'bn3',
        };
  const part = (parts as Readonly<Record<string, string>>)[rest];
  return part ? `blocks.${stage}.${block}.${part}.${tensor}` : name;
}
