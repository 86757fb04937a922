import { cases } from './gpu/golden_vgg16.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('golden_vgg16', cases);
