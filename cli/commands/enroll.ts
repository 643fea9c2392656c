import { type EnrolEnd, untilEnrolled } from "#agent/enroll/until-enrolled.ts";
import { exitCodes } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Command, Invocation } from "../command.ts";
import { openEnrolAttempt } from "../enrolment.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

/**
 * Half a minute: a server that is away for longer is waited for by systemd, which keeps no process for it.
 */
const mostFailures = 5;

/** `firstlight enroll` */
export const command: Command = {
  usage: "enroll [--renew] [--once] [--sandboxed] [--root DIR] [--json]",
  summary: "Get the certificate that this machine reports with, or renew it when it is time.",
  help: `Goes to the server that fleet.enroll in the settings names, and proves what machine this is by a one-shot token, the\nidentity document of its cloud, or a code that a person approves (docs/enrolment.md). Killed or cut off at any point,\nit goes on where it was. --renew makes a new key and certificate now. --once tries once. 75 where the server is away; with --once also where a person has not approved yet.\n${sandboxHelp}`,
  options: { renew: { type: "boolean" }, once: { type: "boolean" }, ...sandboxOption },
  arity: [0, 0],
  async run(outside) {
    const invocation = inSandbox(outside);
    const { io, log, signal, flags } = invocation;
    const attempt = await openEnrolAttempt(invocation, await readSettings(io.files), {
      renews: flags["renew"] === true,
    });
    if (flags["once"] !== true) {
      const onCode = (code: string) => tellCode(invocation, code);
      return ended(
        invocation,
        await untilEnrolled({ io, log, signal, attempt, onCode, mostFailures }),
      );
    }
    const outcome = await attempt();
    if (outcome.kind !== "pending") return ended(invocation, outcome);
    throw new Fault("enroll/pending", `a person has not approved ${outcome.code} yet`);
  },
};

function tellCode({ out }: Invocation, code: string): void {
  out.talk(`this machine waits for a person: firstlight fleet enroll approve ${code}`);
}

function ended({ out, json }: Invocation, end: EnrolEnd): number {
  if (end.kind === "refused") throw end.fault;
  const { node, fleet } = end;
  const until = new Date(end.untilMs).toISOString();
  const renews = new Date(end.renewMs).toISOString();
  out.data(
    json
      ? prettyJson({ v: 1, node, fleet, until, renews })
      : `enrolled as ${node} in ${fleet} until ${until}; renews after ${renews}`,
  );
  return exitCodes.done;
}
