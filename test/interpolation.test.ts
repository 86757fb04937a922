import { cases } from './gpu/interpolation.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('interpolation', cases);
