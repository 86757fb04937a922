import { cases } from './gpu/explainer.gpu';
import { gpuSuite } from './harness/suite';

gpuSuite('explainer', cases);
