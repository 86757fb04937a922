import { cases, halfCases } from './gpu/winograd.gpu';
import { dawnSuite } from './harness/dawn';

await dawnSuite('winograd', cases);
await dawnSuite('winograd in f16', halfCases, ['shader-f16']);
