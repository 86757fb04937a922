import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

export interface Problem {
  readonly status: number;
  readonly why: string;
}

/** What the local server may read: files in some folders, and nothing that a symbolic link leads to from there. */
export class Reach {
  private readonly root: string;
  /** Without links, each with a separator at its end. */
  private readonly folders: readonly string[];

  /** @param root the project's folder, where paths start that do not start with `/@fs/` */
  constructor(root: string, folders: readonly string[]) {
    this.root = root;
    // Packages may be shared between several copies of the project by a link.
    const all = [root, join(root, 'node_modules'), ...folders];
    this.folders = all.flatMap((folder) => realPathOf(folder) ?? []).map((path) => path + sep);
  }

  /** Why a path of a URL is not served, if so. Whether there is such a file is Vite's to say. */
  problemOf(url: string): Problem | undefined {
    let path: string;
    try {
      path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    } catch {
      return { status: 400, why: 'No UTF-8' };
    }
    // Also Vite's own ways to start an editor, and whatever else it may offer to those who develop.
    if (/[\\\0]|\/\/|\/\.\.?(\/|$)|^\/__|^\/@id\/(?!__x00__)/.test(path)) {
      return { status: 404, why: '' };
    }
    const file = path.startsWith('/@fs/')
      ? path.slice(process.platform === 'win32' ? '/@fs/'.length : '/@fs'.length)
      : join(this.root, path);
    const read = [file, join(file, 'index.html'), `${file}.html`].flatMap((one) => {
      return realPathOf(one) ?? [];
    });
    if (read.every((real) => this.folders.some((folder) => `${real}${sep}`.startsWith(folder)))) {
      return undefined;
    }
    return { status: 403, why: 'It is outside of the folders that are served, or a link to there' };
  }
}

/** With all links followed; undefined if there is nothing. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
