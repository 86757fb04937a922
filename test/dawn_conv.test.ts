import { cases, tileCases } from './gpu/conv.gpu';
import { dawnSuite } from './harness/dawn';

await dawnSuite('conv', [...cases, ...tileCases]);
