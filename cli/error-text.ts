/** What went wrong, in words, wherever a command, a page or a test says so. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** With the place it was thrown at. V8's `stack` begins with name and message; those of Gecko and WebKit lack them. */
export function detailsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, stack = '' } = error;
  return stack.includes(message) ? stack || String(error) : `${error}\n${stack}`.trim();
}
