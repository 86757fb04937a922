import { cases } from './gpu/linear_columns.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('linear_columns', cases);
