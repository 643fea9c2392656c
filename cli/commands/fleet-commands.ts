import { exitCodes } from "#agent/outcome.ts";
import { commandStore } from "#agent/update/command-store.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Command, Invocation } from "../command.ts";
import { systemOptions } from "../node.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

/** `firstlight fleet-commands` */
export const command: Command = {
  usage: "fleet-commands run | list [--root DIR] [--driver nix|dry] [--sandboxed] [--json]",
  summary: "Carry out what the fleet has told this machine to do, or list it.",
  help:
    "A fleet can have a machine update, go back, restart, renew its certificate, collect what firstlight knows of it, look\n" +
    "for drift, or answer (docs/trust.md). Each command was signed and is remembered until it expires; run carries\n" +
    "out those that are left, once each. list shows them with what came of them.\n" +
    "Exit code of run: 0 done or nothing to do, 75 one is left: the machine is being changed or restarted.\n" +
    sandboxHelp,
  options: { ...systemOptions, ...sandboxOption },
  arity: [1, 1],
  async run(invocation) {
    const [verb = ""] = invocation.args;
    if (verb === "run") return run(inSandbox(invocation));
    if (verb === "list") return list(invocation);
    throw new Fault(
      "cli/usage",
      `fleet-commands: expected run or list, got ${JSON.stringify(verb)}`,
    );
  },
};

async function run(invocation: Invocation): Promise<number> {
  const { json, out, log } = invocation;
  const { carryOut } = await import("../carry-out.ts");
  const done = await carryOut(invocation);
  const { answered, restarts, waits } = done;
  if (waits !== undefined) log.info("command.waits", { why: waits });
  const left = restarts ? "the machine is being restarted" : waits;
  out.data(
    json
      ? prettyJson({ v: 1, ...done })
      : `answered ${answered}${left === undefined ? "" : `; ${left}`}`,
  );
  return waits === undefined && !restarts ? exitCodes.done : exitCodes.tryAgain;
}

async function list({ io, json, out }: Invocation): Promise<number> {
  const commands = commandStore(io).list();
  if (json) {
    out.data(prettyJson({ v: 1, commands }));
    return exitCodes.done;
  }
  for (const { command: each, receivedAt, answer } of commands) {
    const end = answer === null ? "not answered yet" : describe(answer);
    out.data(`${receivedAt} ${each.name} ${each.id}: ${end}`);
  }
  if (commands.length === 0) out.talk("no command is remembered");
  return exitCodes.done;
}

type Answer = NonNullable<ReturnType<ReturnType<typeof commandStore>["list"]>[number]["answer"]>;

function describe(answer: Answer): string {
  return answer.outcome === "done" ? "done" : `failed: ${answer.code}: ${answer.message}`;
}
