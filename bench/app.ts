/// The bench as a page: measures on the GPU of whoever opened it and shows the same report.
import { messageOf } from '../cli/error-text';
import { today } from '../cli/words';
import { element } from '../demo/element';
import { browserHost } from './browser-host';
import { measure } from './measure/measure';
import { giga, spreadOf } from './measure/statistics';
import { type BenchFile, FORMAT, type Measurement } from './measure/types';
import { ms, number } from './report/format';
import { reportPage } from './report/page';

const form = element<HTMLFormElement>('form');
const stop = element<HTMLButtonElement>('stop');
const status = element<HTMLParagraphElement>('status');
const progress = element<HTMLProgressElement>('progress');
const report = element<HTMLIFrameElement>('report');
const rows = element<HTMLTableSectionElement>('rows');
const urls: string[] = [];

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});

element<HTMLButtonElement>('run').disabled = false;
status.textContent = 'Ready.';

async function run(): Promise<void> {
  const aborter = new AbortController();
  stop.onclick = () => aborter.abort(new DOMException('Stopped.', 'AbortError'));
  setRunning(true);
  try {
    const options = { runs: element<HTMLInputElement>('runs').valueAsNumber, ladder: false };
    const measured = await measure(
      {
        ...browserHost,
        signal: aborter.signal,
        onProgress: (done, total, what) => {
          progress.value = done / total;
          status.textContent = `${done} of ${total}: ${what} ...`;
        },
        onResult: addRow,
      },
      options,
    );
    show({
      format: FORMAT,
      date: today(),
      machine: {
        // Browsers do not tell.
        cpu: '',
        cores: navigator.hardwareConcurrency,
        runtime: browserName(),
        platform: navigator.platform,
      },
      ...stated(),
      ...measured,
    });
    status.textContent = 'Done.';
  } catch (error) {
    const stopped = aborter.signal.aborted;
    status.textContent = stopped ? 'Stopped.' : messageOf(error);
    status.classList.toggle('error', !stopped);
  } finally {
    setRunning(false);
  }
}

function setRunning(running: boolean): void {
  if (running) {
    rows.replaceChildren();
    status.classList.remove('error');
    element('live').hidden = false;
    element('downloads').hidden = true;
    report.hidden = true;
  }
  element<HTMLButtonElement>('run').disabled = running;
  stop.hidden = !running;
  progress.hidden = !running;
}

function addRow({ name, runs, flop, bytes }: Measurement): void {
  const { median, min, max } = spreadOf(runs);
  const live = element('live');
  // Whoever scrolled up to read stays there.
  const follows = live.scrollTop + live.clientHeight >= live.scrollHeight - 8;
  const row = rows.insertRow();
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = name;
  row.append(head);
  const rates = [flop, bytes].map((amount) => number(amount && giga(amount, median)));
  for (const text of [...[median, min, max].map(ms), ...rates]) {
    const cell = row.insertCell();
    cell.className = 'number';
    cell.textContent = text;
  }
  if (follows) live.scrollTop = live.scrollHeight;
}

/** The peak that was typed in, if any. */
function stated(): Pick<BenchFile, 'stated'> {
  const [gflops, gbps] = ['gflops', 'gbps'].map(
    (id) => element<HTMLInputElement>(id).valueAsNumber,
  ) as [number, number];
  const given = { ...(gflops > 0 ? { gflops } : {}), ...(gbps > 0 ? { gbps } : {}) };
  return Object.keys(given).length > 0 ? { stated: given } : {};
}

function browserName(): string {
  const found = /(Firefox|Edg|Chrome|Version)\/([\d.]+)/.exec(navigator.userAgent);
  return found
    ? `${found[1] === 'Version' ? 'Safari' : found[1]}/${found[2]}`
    : navigator.userAgent;
}

function show(file: BenchFile): void {
  const page = reportPage(file, document);
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  offer('json', JSON.stringify(file, null, 1), 'application/json');
  offer('html', page, 'text/html');
  report.srcdoc = page;
  report.hidden = false;
  element('downloads').hidden = false;
}

function offer(id: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  urls.push(url);
  element<HTMLAnchorElement>(id).href = url;
}
