import { ScoreCamError } from '../../errors';
import { addressHint } from './address-hint';

/* Why an answer brings no file, and what to do. Loaded when one does not: the server was reached. */

/**
 * @param answered what was asked and answered, in words
 * @throws ScoreCamError `weights` always
 */
export function refuse(
  url: string,
  status: number,
  type: string,
  isFile: boolean,
  answered: string,
): never {
  const why = isFile
    ? `${url} answered with a web page (${type}) when asked for the file. Give the address of the file itself, ` +
      'not of the page that shows it.'
    : `${answered}. ${remedyOf(status)}`;
  throw new ScoreCamError('weights', `${why}${addressHint(url)}`);
}

function remedyOf(status: number): string {
  if (status === 401 || status === 403) {
    return 'It may not be read without logging in, or its link has expired: use a public address.';
  }
  if (status === 404 || status === 410) return 'There is no file: check the address.';
  return 'Expected was 200 with the file: check the address and the server.';
}
