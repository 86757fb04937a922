import type { Dispatch } from '../../src/gpu/kernel';
import { valuesOf } from '../../src/gpu/shader_text';

/** A pipeline: a kernel and the values that it is specialised for. */
export interface Pipeline {
  readonly kernel: string;
  readonly values: Readonly<Record<string, number>>;
  /** The layers that it computes, or what else its dispatches are called. */
  readonly labels: readonly string[];
  /** One of those dispatches. */
  readonly dispatch: Dispatch;
}

export interface Selection {
  /** Parts of the kernels' names: any of them. Default: all kernels. */
  readonly kernels?: readonly string[] | undefined;
  /** Instead of what is chosen: `ROWS`, `COLS` and what else the kernel has. */
  readonly values?: Readonly<Record<string, number>> | undefined;
}

/** The distinct pipelines of dispatches, as far as they are selected. @throws Error naming what there is */
export function pipelinesOf(
  dispatches: readonly Dispatch[],
  { kernels: parts = [''], values: given = {} }: Selection = {},
): Pipeline[] {
  const found = new Map<string, Pipeline>();
  for (const own of dispatches) {
    const { kernel, label } = own;
    if (!parts.some((part) => kernel.name.includes(part))) continue;
    const dispatch = { ...own, constants: { ...own.constants, ...given } };
    const values = valuesOf(dispatch, [...kernel.constants, ...kernel.overrides]);
    const key = `${kernel.name} ${JSON.stringify(values)}`;
    const labels = [...(found.get(key)?.labels ?? []), label];
    found.set(key, { kernel: kernel.name, values, labels: [...new Set(labels)], dispatch });
  }
  const all = [...found.values()].sort((a, b) => a.kernel.localeCompare(b.kernel));
  if (all.length === 0) {
    const names = [...new Set(dispatches.map(({ kernel }) => kernel.name))].sort();
    throw new Error(
      `No kernel that a GPU runs is called like "${parts.join()}": ${names.join(', ')}.`,
    );
  }
  const unknown = Object.keys(given).find((name) => !all.some(({ values }) => name in values));
  if (unknown !== undefined) {
    const names = [...new Set(all.flatMap(({ values }) => Object.keys(values)))];
    throw new Error(`No kernel among these has ${unknown}: there are ${names.join(', ')}.`);
  }
  return all;
}
