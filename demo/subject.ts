import { SAMPLE } from './networks';

/** The image that all views are about: the sample until somebody gives another. */
export class Subject {
  private given: Blob | undefined;

  get isSample(): boolean {
    return this.given === undefined;
  }

  /** @throws TypeError or Error where the sample cannot be fetched */
  async image(): Promise<Blob> {
    if (this.given) return this.given;
    const response = await fetch(SAMPLE);
    if (!response.ok) throw new Error(`${SAMPLE}: ${response.status} ${response.statusText}`);
    return response.blob();
  }

  /** Another from now on; undefined is the sample. */
  put(image: Blob | undefined): void {
    this.given = image;
  }
}
