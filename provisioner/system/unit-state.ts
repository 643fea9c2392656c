/** What systemd says of a unit. */
export interface UnitState {
  /** Whether it runs, or is on its way there or back. */
  readonly active: boolean;
  /** How it ended; `undefined` while it has not, or when systemd knows nothing of it any more. */
  readonly end: UnitEnd | undefined;
}

export interface UnitEnd {
  /** `null` when it was killed. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Said where systemd had no process for it: nothing of it has run. */
  readonly unstarted?: true;
}

/** Reads `systemctl show` of a unit: ActiveState, Result and ExecMainStatus, one `NAME=value` a line. */
export function parseUnitState(output: string): UnitState {
  const properties = new Map(
    output.split("\n").map((line): [string, string] => {
      const [name = "", ...value] = line.trim().split("=");
      return [name, value.join("=")];
    }),
  );
  const state = properties.get("ActiveState") ?? "";
  const active = ["active", "activating", "deactivating", "reloading"].includes(state);
  return { active, end: state === "failed" ? readEnd(properties) : undefined };
}

function readEnd(properties: ReadonlyMap<string, string>): UnitEnd {
  const result = properties.get("Result");
  const status = Number(properties.get("ExecMainStatus"));
  const exited = result === "exit-code" && Number.isInteger(status);
  // What was to run before the program has failed where that itself has none but 0 to say.
  const end = { exitCode: exited ? status || 1 : null, timedOut: result === "timeout" };
  return result === "resources" ? { ...end, unstarted: true } : end;
}
