/// Runs in a browser whose GPU process is killed when an address is asked for.
import { detailsOf } from '../../cli/error-text';
import { PHASES, surviveLossIn } from './losses';

/** What went wrong when the GPU process was killed in a phase; '' if nothing did. */
async function killedIn(name: string, killer: string): Promise<string> {
  const phase = PHASES.find((one) => one.name === name);
  if (!phase) return `There is no phase "${name}".`;
  try {
    await surviveLossIn(phase, () => {
      // The page stands still until the process is gone: what it has sent is all that there was.
      const request = new XMLHttpRequest();
      request.open('GET', killer, false);
      request.send();
      if (request.responseText !== 'killed') throw new Error(request.responseText);
    });
    return '';
  } catch (error) {
    return detailsOf(error);
  }
}

declare global {
  interface Window {
    killedIn: typeof killedIn;
  }
}
window.killedIn = killedIn;
