/** What a command line says of a network whose file does not: labels and preprocessing. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Description } from '../src/model/description';
import { CliError, usageError } from './errors';
import { parseList, parseName, parseWhole } from './option-types';

/** As commander hands the options out. */
export interface DescriptionWords {
  readonly labels?: string;
  readonly mean?: string;
  readonly std?: string;
  readonly size?: string;
  readonly resize?: string;
}

export function addDescription(program: Command): void {
  program
    .option('--labels <file>', 'names of the classes, one a line or as a JSON list')
    .option(
      '--mean <r,g,b>',
      "of the model's input, (rgb / 255 - mean) / std, where its file does not say",
    )
    .option('--std <r,g,b>', 'the same')
    .option(
      '--size <pixels>',
      "of the model's input where its file leaves it open, such as 224 or 192x256 (height x width)",
    )
    .option('--resize <way>', 'cover: crop to the centre; stretch');
}

/** @throws CliError for a word that is wrong, or a file that cannot be read */
export function parseDescription({
  labels,
  mean,
  std,
  size,
  resize,
}: DescriptionWords): Description {
  return {
    ...(labels !== undefined && { labels: readLabels(labels) }),
    ...(mean !== undefined && { mean: parseThree('--mean', mean, false) }),
    ...(std !== undefined && { std: parseThree('--std', std, true) }),
    ...(size !== undefined && { size: parseSize(size) }),
    ...(resize !== undefined && {
      resize: parseName('--resize', resize, ['cover', 'stretch'] as const),
    }),
  };
}

function parseThree(option: string, text: string, isPositive: boolean): [number, number, number] {
  const numbers = parseList(text).map((part) => (part === '' ? Number.NaN : Number(part)));
  if (numbers.length === 3 && numbers.every((n) => Number.isFinite(n) && (!isPositive || n > 0))) {
    return numbers as [number, number, number];
  }
  throw usageError(
    `${option} "${text}": give three ${isPositive ? 'positive ' : ''}numbers for red, green and blue, such as .485,.456,.406.`,
  );
}

function parseSize(text: string): [height: number, width: number] {
  const [height = '', width = height, ...more] = text.split('x');
  if (more.length > 0) throw usageError(`--size "${text}": give a number, or height x width.`);
  return [parseWhole('--size', height, 1, 4096), parseWhole('--size', width, 1, 4096)];
}

function readLabels(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw new CliError(`The labels cannot be read: ${(error as Error).message}`);
  }
  if (!text.trimStart().startsWith('[')) return text.trimEnd().split(/\r?\n/);
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((label) => typeof label === 'string')) return list;
  } catch {
    // Said below.
  }
  throw new CliError(`${path} begins like a JSON list, but is no list of names.`);
}
