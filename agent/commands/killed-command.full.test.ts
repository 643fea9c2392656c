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

for (const [title, campaign] of Object.entries(campaigns))
  t.test(`killed at every effect: ${title}`, async (t) => {
    let killed = 0;
    for (let dieAt = 1; ; dieAt++) {
      const fleet = await commandNode(t);
      fleet.give(campaign.name, { arguments: campaign.arguments ?? {} });
      if ((await fleet.run({ dieAt })) !== undefined) break;
      killed += 1;
      if (campaign.after === "a power cut") fleet.node.m.cutPower();
      await goOn(fleet);
      const answers = fleet.told();
      const wrong = [...(campaign.wrong?.(fleet) ?? [])];
      if (answers.length !== 1) wrong.push(`${answers.length} answers`);
      // A trial that its killed process left is taken back, and the answer says so.
      const isBack = answers[0]?.code === "command/taken-back";
      if (answers[0]?.outcome !== "done" && !isBack) wrong.push(JSON.stringify(answers[0]));
      if (fleet.node.restart()) wrong.push("a restart is asked for");
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
