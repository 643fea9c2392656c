import { trialFinished } from "#agent/boot-events.ts";
import { judge, readBaseline, watchMs } from "#agent/health/judge.ts";
import { exitCodes } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { nodeProbe, openSystem, systemOptions } from "../node.ts";
import { bootOutbox } from "../outbox.ts";

/** `firstlight rollback` */
export const command: Command = {
  usage: "rollback [GENERATION] [--root DIR] [--driver nix|dry]",
  summary: "Go back to an earlier generation, through the same trial as any change.",
  options: systemOptions,
  arity: [0, 1],
  async run(invocation) {
    const { io, args, json, out, signal } = invocation;
    const [wanted] = args;
    const generation = wanted === undefined ? null : Number(wanted);
    if (generation !== null && (!Number.isInteger(generation) || generation < 1)) {
      throw new Fault(
        "cli/usage",
        `rollback: expected the number of a generation, got ${JSON.stringify(wanted)}`,
        { hint: "firstlight history lists them" },
      );
    }
    const system = await openSystem(invocation);
    await system.recover();
    const why =
      generation === null ? "back to the previous generation" : `back to generation ${generation}`;
    const plan = await system.planGeneration(generation, { by: "rollback", why, instanceId: null });
    const watching = { io, probe: nodeProbe(invocation, await readSettings(io.files)), signal };
    const baseline = await readBaseline(undefined, watching);
    const trial = await system.try(plan, watchMs(undefined));
    const verdict = await judge(undefined, trial, { ...watching, baseline });
    const outbox = bootOutbox(invocation);
    const tell = async (result: "committed" | "rolled-back", now: number | null) => {
      outbox.report(trialFinished({ by: "rollback", trial, verdict, result, generation: now }));
      await outbox.flush();
    };
    if (!verdict.healthy) {
      const back = await system.rollBack(trial, verdict);
      await tell("rolled-back", back.generation);
      out.data(
        json
          ? prettyJson({ v: 1, outcome: "rolled-back", verdict, ...back })
          : `not healthy: ${verdict.reasons.join("; ")}`,
      );
      return exitCodes.rolledBack;
    }
    const committed = await system.commit(trial, verdict);
    await tell("committed", committed.generation);
    out.data(
      json
        ? prettyJson({ v: 1, outcome: "committed", verdict, ...committed })
        : `generation ${committed.generation} runs and is the boot default`,
    );
    return exitCodes.done;
  },
};
