import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

const OF_FILES = ['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified'];
const OF_FAILURES = ['content-range', 'retry-after'];

const MOST_REDIRECTS = 5;

/** RFC 9110, 15.5.20: this server is not the one to ask. */
const MISDIRECTED = 421;

/** What is not to be passed on, in words. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Answers with a file of another site, so that a page can read sites without CORS: with bytes that no browser takes for
 * a page or a script. It goes nowhere else, wherever the site redirects to.
 * @param path on the site, without its first '/'
 */
export async function serveRemote(
  origin: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A page that has enough of a large file must not leave its download running.
  const left = new AbortController();
  response.on('close', () => left.abort());
  try {
    const answer = await fetchOn(origin, `${origin}/${path}`, request.headers.range, left.signal);
    response.statusCode = answer.status;
    response.statusMessage = printableAscii(answer.statusText);
    response.setHeader('content-type', 'application/octet-stream');
    for (const name of passedOn(answer)) {
      const value = answer.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    if (!answer.ok || !answer.body || request.method === 'HEAD') {
      await answer.body?.cancel();
      return void response.end();
    }
    const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
    body.on('error', () => response.destroy()).pipe(response);
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    response.writeHead(error instanceof Refusal ? error.status : 502, printableAscii(why)).end();
  }
}

/** Follows redirects as long as they stay on the site, or lead to the same host by https. */
async function fetchOn(
  origin: string,
  address: string,
  range: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  // Unpacked on the way, a compressed answer would no longer have the length it says.
  const headers = { 'accept-encoding': 'identity', ...(range ? { range } : {}) };
  for (let url = new URL(address), left = MOST_REDIRECTS; ; left--) {
    const answer = await fetch(url, { headers, signal, redirect: 'manual' });
    const to = answer.headers.get('location');
    if (answer.status < 300 || answer.status >= 400 || to === null) return checked(answer);
    await answer.body?.cancel();
    url = new URL(to, url);
    if (url.origin !== origin && url.origin !== origin.replace(/^http:/, 'https:')) {
      throw new Refusal(
        MISDIRECTED,
        `It redirects to ${url.origin}, another site: give that address`,
      );
    }
    if (left === 0) throw new Refusal(MISDIRECTED, 'It redirects in a circle');
  }
}

/** A page is no file of a model; what comes with an error is not passed on. */
async function checked(answer: Response): Promise<Response> {
  const type = answer.headers.get('content-type') ?? '';
  if (!answer.ok || !/html|xml|script/i.test(type)) return answer;
  await answer.body?.cancel();
  throw new Refusal(415, `A page (${type}), not a file`);
}

/** The headers of an answer that hold here, too. */
function passedOn({ ok, headers }: Response): readonly string[] {
  if (!ok) return OF_FAILURES;
  // Whoever packs all the same is unpacked by fetch, and the length no longer holds.
  return (headers.get('content-encoding') ?? 'identity') === 'identity' ? OF_FILES : [];
}

/** As a status line may hold it. */
const printableAscii = (text: string): string => text.replaceAll(/[^ -~]+/g, ' ').slice(0, 200);
