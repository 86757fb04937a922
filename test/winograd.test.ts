import { cases } from './gpu/winograd.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('winograd', cases);
