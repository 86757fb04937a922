/** Frames of a camera, one after another: the next one is taken when the one before is done with. */
export class Camera {
  private readonly controller = new AbortController();
  /** When the latest frames were done, in ms. */
  private readonly done: number[] = [];

  private constructor(
    private readonly stream: MediaStream,
    private readonly video: HTMLVideoElement,
  ) {}

  /** @throws DOMException where there is no camera, or the visitor allows none */
  static async open(): Promise<Camera> {
    if (!navigator.mediaDevices) {
      throw new DOMException(
        'A page has a camera on https and on localhost only.',
        'NotAllowedError',
      );
    }
    const stream = await navigator.mediaDevices.getUserMedia({
      // What a phone's owner looks at, not the owner.
      video: { facingMode: 'environment', width: { ideal: 640 } },
    });
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    const camera = new Camera(stream, video);
    try {
      await video.play();
    } catch (error) {
      camera.stop();
      throw error;
    }
    return camera;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Frames a second, over the latest ten; 0 until there are two. */
  get rate(): number {
    const [first, last] = [this.done[0], this.done.at(-1)];
    if (first === undefined || last === undefined || last === first) return 0;
    return (1000 * (this.done.length - 1)) / (last - first);
  }

  /** The frame of this moment. The bitmap is the caller's to close. */
  frame(): Promise<ImageBitmap> {
    return createImageBitmap(this.video);
  }

  /** Hands over frames until it is stopped. @throws what `each` throws, and is stopped then */
  async run(each: (frame: ImageBitmap, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this;
    try {
      while (!signal.aborted) {
        await each(await this.frame(), signal);
        this.done.push(performance.now());
        if (this.done.length > 11) this.done.shift();
        await this.next();
      }
    } catch (error) {
      // A frame that was under way at the end.
      if (!signal.aborted) throw error;
    } finally {
      this.stop();
    }
  }

  stop(): void {
    this.controller.abort();
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  /** Resolves when there is a frame that was not there before, or when it is stopped; never while the page is hidden. */
  private next(): Promise<void> {
    const { currentTime } = this.video;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.signal.aborted || this.video.currentTime !== currentTime) resolve();
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
