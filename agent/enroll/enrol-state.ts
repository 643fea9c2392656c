import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { EnrolState } from "#generated/agent/enroll/enrol-state.ts";
import { validate } from "#generated/agent/enroll/enrol-state.validate.js";
import type { MachineMarks } from "./machine.ts";
import { enrolDirectory, enrolStateFile } from "./places.ts";

/** The state of a node that was never enrolled. */
export function newEnrolState({ instanceId, hardware }: MachineMarks): EnrolState {
  return { v: 1, machine: { instanceId, hardware }, current: null, next: null, refused: null };
}

/** What the node remembers; `undefined` before the first step. Throws `enroll/state-unreadable`. */
export function readEnrolState(files: Files): EnrolState | undefined {
  const text = files.readText(enrolStateFile, { maxBytes: 256 * 1024 });
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (validate(value)) return value as EnrolState;
  } catch (cause) {
    throw new Fault("enroll/state-unreadable", `${enrolStateFile}: expected JSON`, { cause });
  }
  const [first] = validate.errors ?? [];
  const message = `${enrolStateFile}: ${first?.instancePath ?? ""} ${first?.message ?? "does not fit"}`;
  throw new Fault("enroll/state-unreadable", message);
}

/** Writes the state, durably; it is what the next start goes on from. */
export function writeEnrolState(io: Io, state: EnrolState): EnrolState {
  io.files.makeDirectory(enrolDirectory, { mode: 0o700 });
  io.files.write(enrolStateFile, prettyJson(state), { mode: 0o600 });
  return state;
}
