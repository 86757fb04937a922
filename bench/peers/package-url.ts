/** Where bench/peers/page.html finds a file of a package: all addresses of the server begin with what only its reader knows. */
export function packageUrl(path: string): string {
  return new URL(`../node_modules/${path}`, location.href).href;
}
