// Kept apart, and in old syntax, because it must run on the very Nodes that it turns away.

/** What is wrong with this Node, in one line; undefined if nothing is. The bounds are Vite's. */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  const fits =
    (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major === 23 || major >= 24;
  if (fits) return undefined;
  return `Node 20.19 or newer is needed (22.12 or newer of Node 22), this is ${version}: install a current one from https://nodejs.org`;
}
