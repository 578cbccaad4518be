// The command line of a package: runs the requested command, and sets the exit code.

import { Misuse, optionsOf } from './arguments.mjs';
import { answers } from './cases.mjs';
import { answerAll } from './lines.mjs';
import { read } from './read.mjs';

/** Runs the requested command; `others` are commands that not every package has. */
export async function run(name, velora, others = {}) {
  const reading = (command) => (args) => read(velora, command, args);
  const commands = {
    ...Object.fromEntries(Object.entries(answers(velora)).map(([command, answer]) => [command, (args) => answered(answer, args)])),
    'list-events': reading('list-events'),
    export: reading('export'),
    ...others,
  };
  const usage = `usage: conformance/run ${name} ${Object.keys(commands).join('|')} [OPTION]...`;
  const [command, ...args] = process.argv.slice(2);
  if ([command, ...args].some((arg) => arg === '--help' || arg === '-h')) {
    console.log(usage);
    return;
  }
  try {
    if (!Object.hasOwn(commands, command ?? '')) {
      throw new Misuse('unknown command');
    }
    process.exitCode = await commands[command](args);
  } catch (error) {
    if (!(error instanceof Misuse)) {
      throw error;
    }
    console.error(`${usage}\n${error.message}`);
    process.exitCode = 2;
  }
}

/** Returns the exit code. Commands that answer cases take no arguments. */
async function answered(answer, args) {
  optionsOf(args, [], []);
  await answerAll(answer, process.stdin, process.stdout);
  return 0;
}
