/** What a page that shows a file on huggingface.co has to become; '' for other addresses. */
export function addressHint(url: string): string {
  const { host, pathname } = new URL(url);
  if (!/(^|\.)(huggingface\.co|hf\.co)$/.test(host) || !pathname.includes('/blob/')) return '';
  return ` On huggingface.co, use /resolve/ instead of /blob/: ${url.replace('/blob/', '/resolve/')}`;
}
