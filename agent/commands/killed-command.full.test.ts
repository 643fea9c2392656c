import t from "tap";
import type { CommandName } from "#protocol/command-names.ts";
import type { Command } from "#protocol/trust/command.ts";
import { type CommandNode, commandNode } from "./fake-commands.ts";

t.setTimeout(1_200_000);

/** A command, what its process was killed in, and what must have been done once at the end. */
interface Campaign {
  readonly name: CommandName;
  readonly arguments?: Command["arguments"];
  readonly after: "another start" | "a power cut";
  /** Of the release that the node has become. */
  readonly spec?: object;
  /** Sentences of what does not hold at the end. */
  readonly wrong?: (fleet: CommandNode) => readonly string[];
}

const boots = (fleet: CommandNode) =>
  fleet.node.start().io.files.readText("/proc/sys/kernel/random/boot_id")?.trim();

const campaigns: Readonly<Record<string, Campaign>> = {
  "a ping": { name: "ping", after: "another start" },
  "a look at the assignment": { name: "update", after: "another start" },
  "a way back, started again": { name: "rollback", after: "another start" },
  "a way back, in the dark": { name: "rollback", after: "a power cut" },
  "a way back by a restart, started again": {
    ...{ name: "rollback", after: "another start", spec: { hostname: "kernel-new" } },
  },
  "a way back by a restart, in the dark": {
    ...{ name: "rollback", after: "a power cut", spec: { hostname: "kernel-new" } },
  },
  "a restart, started again": {
    ...{ name: "reboot", after: "another start" },
    wrong: (fleet) => (boots(fleet) === "boot-2" ? [] : [`it was restarted into ${boots(fleet)}`]),
  },
  "a restart, in the dark": { name: "reboot", after: "a power cut" },
  "a new credential": {
    ...{ name: "rotate-credential", after: "another start" },
    wrong: ({ credential }) => (credential === "key-1+" ? [] : [`it has ${credential}`]),
  },
  "a bundle": { name: "collect-diagnostics", after: "another start" },
  "a look for drift": { name: "run-drift-scan", after: "another start" },
};

t.test(
  "a way back that takes a restart is judged by the boot, and answered after it",
  async (t) => {
    const fleet = await commandNode(t, { hostname: "kernel-new" });
    const { node } = fleet;
    const before = (await fleet.history()).find((each) => each.previousGood);
    fleet.give("rollback");
    t.match(await fleet.run(), { answered: 0, restarts: true });
    t.ok(node.restart());
    t.match(await fleet.run(), { answered: 0, waits: /is under way/ }, "the boot comes first");
    await node.boot();
    t.match(await fleet.run(), { answered: 1 });
    t.match(fleet.told(), [{ outcome: "done", result: { toplevel: before?.toplevel } }]);
    t.equal(node.m.running(), before?.toplevel);
  },
);

for (const [title, campaign] of Object.entries(campaigns))
  t.test(`killed at every effect: ${title}`, async (t) => {
    let killed = 0;
    for (let dieAt = 1; ; dieAt++) {
      const fleet = await commandNode(t, campaign.spec);
      const target =
        campaign.name === "rollback"
          ? (await fleet.history()).find((each) => each.previousGood)?.toplevel
          : undefined;
      fleet.give(campaign.name, { arguments: campaign.arguments ?? {} });
      if ((await fleet.run({ dieAt })) !== undefined) break;
      killed += 1;
      if (campaign.after === "a power cut") {
        fleet.node.m.cutPower();
        await fleet.node.boot();
      }
      await goOn(fleet);
      const answers = fleet.told();
      const wrong = [...(campaign.wrong?.(fleet) ?? [])];
      if (answers.length !== 1) wrong.push(`${answers.length} answers`);
      // A trial that its killed process left is taken back, and the answer says so.
      const isBack = answers[0]?.code === "command/taken-back";
      if (answers[0]?.outcome !== "done" && !isBack) wrong.push(JSON.stringify(answers[0]));
      if (fleet.node.restart()) wrong.push("a restart is asked for");
      // A commit that a power cut has ended is finished by the boot; its system runs from the next one on.
      if (campaign.after === "a power cut") fleet.node.m.cutPower();
      const isThere = target === undefined || fleet.node.m.running() === target;
      if (isThere !== (answers[0]?.outcome === "done")) wrong.push("another system runs");
      if (fleet.node.m.running() !== fleet.node.m.bootDefault())
        wrong.push("the boot default is another");
      if (wrong.length > 0) t.fail(`killed at effect ${dieAt}: ${wrong.join("; ")}`);
    }
    t.ok(killed >= 4, `${killed} effects`);
    t.comment(`${title}: killed at ${killed} effects`);
  });

/** What systemd and the machine do after a kill, until nothing is left to do. */
async function goOn(fleet: CommandNode): Promise<void> {
  for (let round = 0; round < 6; round++) {
    await fleet.run();
    if (fleet.node.restart()) await fleet.node.boot();
  }
}
