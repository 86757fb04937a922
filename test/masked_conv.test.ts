import { cases } from './gpu/masked_conv.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('masked_conv', cases);
