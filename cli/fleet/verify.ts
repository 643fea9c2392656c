import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, Fault } from "#core/fault.ts";
import { auditMessage, auditRepository } from "#fleet/trust/audit.ts";
import { fleetNamePattern } from "#protocol/enroll/limits.ts";
import { trustLimits } from "#protocol/trust/limits.ts";
import { readOffer } from "#protocol/trust/read-offer.ts";
import { type Invocation, textFlag } from "../command.ts";
import { isDirectory } from "../path-kind.ts";
import { readInput } from "../read-input.ts";
import { requiredFlag, requireNode } from "./given.ts";

/** `firstlight fleet verify DIR | MESSAGE` */
export async function verify(invocation: Invocation): Promise<number> {
  const [what = ""] = invocation.args;
  if (invocation.args.length !== 1 || what === "")
    throw new Fault("cli/usage", "fleet verify: expected DIR or MESSAGE");
  const nowMs = timeOf(invocation);
  const place = path.resolve(what);
  const isRepository = what !== "-" && isDirectory("DIR", place) === true;
  return isRepository
    ? verifyRepository(invocation, place, nowMs)
    : verifyMessage(invocation, what, nowMs);
}

function timeOf({ flags, io }: Invocation): number {
  const at = textFlag(flags, "at");
  if (at === undefined) return io.clock.now();
  const ms = Date.parse(at);
  if (!Number.isNaN(ms)) return ms;
  throw new Fault("cli/usage", `--at: expected a time such as 2026-02-01T12:00:00Z, got ${at}`);
}

function verifyRepository({ io, out, json }: Invocation, directory: string, nowMs: number): number {
  const { checks, lines, warnings } = auditRepository(io.files, directory, nowMs);
  const bad = checks.filter(({ fault }) => fault !== undefined);
  if (json) out.data(prettyJson({ v: 1, checks, lines, warnings }));
  else {
    for (const { file, fault } of checks)
      out.data(
        `${fault === undefined ? "ok     " : "DAMAGED"} ${path.relative(directory, file)}${fault === undefined ? "" : `: ${fault}`}`,
      );
    for (const line of lines) out.data(line);
    for (const line of warnings) out.data(`WARNING ${line}`);
  }
  const [first] = bad;
  if (first !== undefined) {
    if (json) return exitCodes.error;
    throw new Fault("signing/damaged", `${first.file}: ${first.fault}`);
  }
  return warnings.length > 0 ? exitCodes.degraded : exitCodes.done;
}

/** A message as a node looks at it that has the given root; whose it is the message says, or the flags. */
async function verifyMessage(invocation: Invocation, file: string, nowMs: number): Promise<number> {
  const { out, flags, json, signal } = invocation;
  const offer = readOffer(await readInput(file, { signal, maxBytes: trustLimits.bytes + 1 }));
  const rootFile = requiredFlag(invocation, "root-file");
  const rootBytes = await readInput(rootFile, { signal, maxBytes: trustLimits.bytes });
  let root: unknown;
  try {
    root = JSON.parse(Buffer.from(rootBytes).toString());
  } catch (cause) {
    throw new Fault("cli/bad-input", `${rootFile}: expected JSON`, { cause });
  }
  const fleet = requiredFlag(invocation, "fleet");
  if (!fleetNamePattern.test(fleet))
    throw new Fault("cli/usage", `--fleet: ${JSON.stringify(fleet)} is no name of a fleet`);
  const node = requireNode(textFlag(flags, "node") ?? "");
  const { lines, fault } = auditMessage(root, offer, { node: { fleet, node }, nowMs });
  if (json)
    out.data(
      prettyJson({ v: 1, lines, refused: fault === undefined ? null : describeFault(fault) }),
    );
  else for (const line of lines) out.data(line);
  if (fault === undefined) return exitCodes.done;
  if (json) return exitCodes.error;
  throw fault;
}
