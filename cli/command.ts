/** What all commands of the project have in common: how they are declared, and how what is wrong is told. */
import { Command, CommanderError } from 'commander';
import { usageError } from './errors';

/** A command that throws instead of ending the process, so that its errors look like all others. */
export function newCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
}

/**
 * The options given on the command line; `--help` prints them and ends the process.
 * @throws CliError for an option or argument that the command does not know
 */
export function parsed<Options extends object>(command: Command): Options {
  try {
    return command.parse().opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) process.exit(0);
    throw usageError(`${error.message.replace(/^error: /, '')} (--help lists the options)`);
  }
}
