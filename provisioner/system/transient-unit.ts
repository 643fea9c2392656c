import type { CommandLine } from "./command-lines.ts";

/** A property of a unit, as `--property` takes it. */
export type UnitProperty = readonly [name: string, value: string];

/** A transient service that runs one program, its output and its end ours. */
export interface TransientUnit {
  /** Without suffix; systemd makes one up where it is absent. */
  readonly name?: string;
  readonly properties: readonly UnitProperty[];
  /** Whether one that failed stays to be asked how, until it is reset. */
  readonly keepFailed?: boolean;
  /** All that the program gets from here beside systemd's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The line run by systemd instead of by us: outside of our own sandbox, in one that the properties
 * say. Without a `--service-type` systemd-run ends with the program's code, however fast that fails;
 * killing it does not end the unit.
 */
export function inTransientUnit(line: CommandLine, unit: TransientUnit): CommandLine {
  const env = Object.entries({ ...unit.env, ...line.env });
  return {
    ...withoutEnv(line),
    argv: [
      "systemd-run",
      "--pipe",
      "--wait",
      "--quiet",
      ...(unit.keepFailed === true ? [] : ["--collect"]),
      "--no-ask-password",
      ...(unit.name === undefined ? [] : [`--unit=${unit.name}`]),
      ...unit.properties.map(([name, value]) => `--property=${name}=${value}`),
      ...env.flatMap(([name, value]) => (value === undefined ? [] : [`--setenv=${name}=${value}`])),
      ...line.argv,
    ],
  };
}

function withoutEnv({ env: _env, ...line }: CommandLine): CommandLine {
  return line;
}

/** An argument as systemd is to leave it: it puts variables in place of `${NAME}` and `$NAME` (systemd.service(5)). */
export function asItIs(argument: string): string {
  return argument.replaceAll("$", "$$$$");
}
