import { cases } from './gpu/conv.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('conv', cases);
