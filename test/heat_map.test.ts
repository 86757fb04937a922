import { cases } from './gpu/heat_map.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('heat_map', cases);
