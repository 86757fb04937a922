import { cases } from './gpu/weights.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('weights', cases);
