import { cases } from './gpu/pooling.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('pooling', cases);
