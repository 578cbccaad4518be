// Reads the arguments of a command.

import { parseArgs } from 'node:util';

/** The command line is wrong: the exit code is 2. */
export class Misuse extends Error {}

/** Reads the required and the optional options; anything else is misuse. */
export function optionsOf(args, needed, others) {
  const options = Object.fromEntries([...needed, ...others].map((name) => [name, { type: 'string' }]));
  const given = parsed({ args, options });
  const missing = needed.find((name) => given[name] === undefined);
  if (missing !== undefined) {
    throw new Misuse(`--${missing} is missing`);
  }
  return given;
}

function parsed(asked) {
  try {
    return parseArgs(asked).values;
  } catch (error) {
    throw new Misuse(error.message);
  }
}

/** The value of an option, which must match `form`. */
export function matching(name, value, form) {
  if (!form.test(value)) {
    throw new Misuse(`--${name} is invalid`);
  }
  return value;
}
