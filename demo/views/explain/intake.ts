/**
 * Images that are dropped or pasted, anywhere on the page, until the signal aborts.
 * @param zone is marked while something is held over the page
 */
export function takeImages(
  zone: HTMLElement,
  onImage: (image: Blob) => void,
  signal: AbortSignal,
): void {
  // Without this the browser would open the file instead.
  for (const type of ['dragover', 'dragleave', 'drop'] as const) {
    addEventListener(
      type,
      (event) => {
        event.preventDefault();
        zone.classList.toggle('over', type === 'dragover');
        const dropped = type === 'drop' ? event.dataTransfer?.files[0] : undefined;
        if (dropped) onImage(dropped);
      },
      { signal },
    );
  }
  addEventListener(
    'paste',
    ({ clipboardData }) => {
      const pasted = clipboardData?.files[0];
      if (pasted) onImage(pasted);
    },
    { signal },
  );
}
