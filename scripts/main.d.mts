/**
 * Installs what the lock file of `folder`, relative to the project, asks for, unless it is there. `what` says
 * on stderr which packages these are.
 * @throws SetupError if that fails
 */
export function installPackages(folder?: string, what?: string): Promise<void>;
export function main(args: readonly string[]): Promise<void>;
