/** What is wrong with this Node, in one line; undefined if nothing is. */
export function nodeProblem(version: string): string | undefined;
