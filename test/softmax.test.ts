import { cases } from './gpu/softmax.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('softmax', cases);
