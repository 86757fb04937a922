import { ScoreCamError } from '../../errors';

/** Something that may go better on the next try: a connection that broke, a server that is busy. */
export class Interruption extends Error {
  /** Seconds the server asks to be left alone, if it says. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    { cause, retryAfter }: { cause?: unknown; retryAfter?: number } = {},
  ) {
    super(message, { cause });
    this.retryAfter = retryAfter;
  }
}

/** What is known of a file from the first answer, and must hold for every later one. */
export interface FileFacts {
  readonly url: string;
  readonly size: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Statuses that pass: RFC 9110 and 6585. Everything else is final. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Checks that an answer brings a file at all. `offset` is the byte the file was asked for from.
 * @throws Interruption if asking again may help
 * @throws ScoreCamError `weights` naming URL, status, offset and remedy.
 */
export async function checkAnswer(url: string, offset: number, response: Response): Promise<void> {
  const { status, statusText } = response;
  const answered = `${url} answered ${status}${statusText ? ` (${statusText})` : ''} when asked for the file from byte ${offset}`;
  if (PASSING.has(status)) {
    const seconds = response.headers.get('retry-after') ?? '';
    throw new Interruption(
      answered,
      /^\d+$/.test(seconds) ? { retryAfter: Number(seconds) } : undefined,
    );
  }
  const isFile = status === 200 || (status === 206 && offset > 0);
  const type = response.headers.get('content-type') ?? '';
  if (isFile && !/^\s*(text\/html|application\/xhtml\+xml)\b/i.test(type)) return;
  (await import('./refused-answer')).refuse(url, status, type, isFile, answered);
}

/** Content-Length; undefined if there is none, or if it counts something other than the file's bytes. */
export function announcedBytes({ headers }: Response): number | undefined {
  const length = headers.get('content-length') ?? '';
  return isEncoded(headers) || !/^\d+$/.test(length) ? undefined : Number(length);
}

export function isEncoded(headers: Headers): boolean {
  const encoding = headers.get('content-encoding');
  return encoding !== null && encoding.trim() !== '' && !/^\s*identity\s*$/i.test(encoding);
}

/**
 * Which bytes an answer to `Range: bytes=offset-` brings: first, and one past the last. `start` is 0 where
 * the server ignored the range. Headers that the site hides from other pages (CORS) are not checked;
 * Content-Length, which no site hides, then stands for Content-Range.
 * @throws ScoreCamError `weights` if these are other bytes, or another file than at first.
 */
export async function answeredRange(
  file: FileFacts,
  offset: number,
  response: Response,
): Promise<{ readonly start: number; readonly end: number }> {
  const { url, size } = file;
  const fail = (found: string, remedy: string): never => {
    throw new ScoreCamError(
      'weights',
      `${url}: asked for bytes from ${offset} of ${size}, ${found}. ${remedy}`,
    );
  };
  const { headers, status } = response;
  const changed = 'The file changed on the server while it was read: load it again.';
  if (status === 416) {
    const [, total] = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
    return fail(
      `the server says that there are none (416${total ? `, ${total} bytes in all` : ''})`,
      `The file is shorter than the ${size} bytes that were announced: it is cut off, or changed; ` +
        'load it again, and if that does not help, have it uploaded again.',
    );
  }
  await checkAnswer(url, offset, response);
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  if (etag && file.etag) {
    if (etag !== file.etag)
      fail(`found the file with ETag ${etag}, at first ${file.etag}`, changed);
  } else if (lastModified && file.lastModified && lastModified !== file.lastModified) {
    fail(`found the file of ${lastModified}, at first of ${file.lastModified}`, changed);
  }
  if (isEncoded(headers)) {
    fail(
      `the answer is compressed (Content-Encoding ${headers.get('content-encoding')}), at first it was not`,
      'Have the server send weights as they are.',
    );
  }
  const announced = announcedBytes(response);
  if (status === 200) {
    if (announced !== undefined && announced !== size)
      fail(`found ${announced} bytes in all`, changed);
    return { start: 0, end: size };
  }
  const range = headers.get('content-range');
  if (range === null) {
    if (announced !== undefined && announced !== size - offset) {
      fail(`expected ${size - offset} bytes, the answer has ${announced}`, changed);
    }
    return { start: offset, end: size };
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  if (total !== undefined && total !== '*' && Number(total) !== size) {
    fail(`the answer's Content-Range is "${range}"`, changed);
  }
  const end = Number(last) + 1;
  if (Number(first) !== offset || !(end > offset && end <= size)) {
    fail(
      `the answer's Content-Range is "${range}"`,
      `Expected was "bytes ${offset}-${size - 1}/${size}": the server, or a proxy before it, is at fault.`,
    );
  }
  return { start: offset, end };
}
