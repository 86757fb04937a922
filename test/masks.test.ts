import { cases } from './gpu/masks.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('masks', cases);
