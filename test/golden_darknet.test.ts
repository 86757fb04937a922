import { cases } from './gpu/golden_darknet.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('golden_darknet', cases);
