import type { Rates } from '../../src/plan/cost';

/*
 * GPUs that times are predicted for, by what is published of them. Peaks are f32 multiply-adds outside of matrix units,
 * at boost clocks: no GPU keeps them up for long.
 */

export interface KnownGpu {
  readonly name: string;
  /** TFLOP/s, GB/s, and MB of its last cache. */
  readonly tflops: number;
  readonly gbps: number;
  readonly cacheMb: number;
  readonly source: string;
}

export const KNOWN_GPUS: readonly KnownGpu[] = [
  {
    name: 'Apple M1',
    tflops: 2.6,
    gbps: 68,
    cacheMb: 8,
    source:
      'Apple, newsroom, 10 November 2020: 2.6 teraflops; LPDDR4X-4266, 128 bits; system cache by github.com/philipturner/metal-benchmarks',
  },
  {
    name: 'Apple M4',
    tflops: 3.8,
    gbps: 120,
    cacheMb: 8,
    source:
      'Apple, newsroom, 7 May 2024: 10 cores, 120 GB/s; 10 x 128 lanes at 1.47 GHz, and the cache as of the M1: neither published by Apple',
  },
  {
    name: 'Intel Lunar Lake (Arc 140V)',
    tflops: 4.0,
    gbps: 137,
    cacheMb: 8,
    source:
      'Intel, Core Ultra 7 258V: 8 Xe2 cores x 128 lanes at 1.95 GHz; LPDDR5X-8533, 128 bits; 8 MB memory-side cache',
  },
  {
    name: 'Intel Arc B580',
    tflops: 13.7,
    gbps: 456,
    cacheMb: 18,
    source: 'Intel, Arc B580: 20 Xe2 cores x 128 lanes at 2.67 GHz, 456 GB/s; L2 18 MB',
  },
  {
    name: 'AMD Radeon 780M',
    tflops: 4.1,
    gbps: 90,
    cacheMb: 2,
    source:
      'AMD, Ryzen 7 7840U: 12 compute units x 64 lanes at 2.7 GHz, without dual issue; DDR5-5600, 128 bits; L2 2 MB',
  },
  {
    name: 'AMD Radeon RX 7900 XTX',
    tflops: 30.7,
    gbps: 960,
    cacheMb: 96,
    source:
      'AMD, RX 7900 XTX: 61 TFLOP/s with dual issue, half of that without; 960 GB/s; Infinity Cache 96 MB',
  },
  {
    name: 'NVIDIA RTX 4060',
    tflops: 15.1,
    gbps: 272,
    cacheMb: 24,
    source: 'NVIDIA, GeForce RTX 4060: 3072 lanes at 2.46 GHz, 272 GB/s; L2 24 MB',
  },
  {
    name: 'NVIDIA RTX 4090',
    tflops: 82.6,
    gbps: 1008,
    cacheMb: 72,
    source: 'NVIDIA, Ada GPU architecture (white paper): 82.6 TFLOP/s, 1008 GB/s, L2 72 MB',
  },
  {
    name: 'Qualcomm Adreno 750',
    tflops: 2.8,
    gbps: 77,
    cacheMb: 6,
    source:
      'Qualcomm, Snapdragon 8 Gen 3: LPDDR5X-4800, 64 bits; 1536 lanes at 0.9 GHz and the cache of 6 MB not published by Qualcomm',
  },
  {
    name: 'NVIDIA H100 SXM',
    tflops: 67,
    gbps: 3350,
    cacheMb: 50,
    source: 'NVIDIA, H100 data sheet: 67 TFLOP/s, 3.35 TB/s; L2 50 MB (Hopper white paper)',
  },
];

/** Assumed of all: nobody publishes them. */
const CACHE_BESIDE_MEMORY = 3;
const DISPATCH = 5e-6;

export function ratesOf({ tflops, gbps, cacheMb }: KnownGpu): Rates {
  return {
    flops: 1e12 * tflops,
    memory: 1e9 * gbps,
    cache: { bytes: 1e6 * cacheMb, rate: CACHE_BESIDE_MEMORY * 1e9 * gbps },
    dispatch: DISPATCH,
  };
}
