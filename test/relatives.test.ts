import { cases } from './gpu/relatives.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('relatives', cases);
