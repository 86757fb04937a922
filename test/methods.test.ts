import { cases } from './gpu/methods.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('methods', cases);
