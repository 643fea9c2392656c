import t from "tap";
import { openSpool } from "#agent/link/spool.ts";
import { silentLog } from "#core/log.ts";
import { type FakeNode, failingOnTrial, fakeNode, sick } from "./fake-update.ts";
import { readCommitted, readStaged } from "./kept-release.ts";
import { maxRecords } from "./next.ts";
import { isOver } from "./transitions.ts";

t.setTimeout(1_800_000);

/** An update, what it must come to, and what happens after its process was killed. */
interface Campaign {
  readonly spec: object;
  readonly end: "SUCCEEDED" | "ROLLED_BACK";
  readonly after: "another start" | "a power cut";
  /** At every so many effects; at every one when absent. */
  readonly step?: number;
}

const campaigns: Readonly<Record<string, Campaign>> = {
  "a good one, started again": { spec: {}, end: "SUCCEEDED", after: "another start" },
  "a good one, in the dark": { spec: {}, end: "SUCCEEDED", after: "a power cut", step: 2 },
  "a sick one, started again": {
    ...{ spec: { health: sick }, end: "ROLLED_BACK", after: "another start" },
  },
  "a sick one, in the dark": {
    ...{ spec: { health: sick }, end: "ROLLED_BACK", after: "a power cut", step: 3 },
  },
  "one by a restart, in the dark": {
    ...{ spec: { hostname: "kernel-new" }, end: "SUCCEEDED", after: "a power cut" },
  },
};

for (const [name, campaign] of Object.entries(campaigns))
  t.test(`killed at its effects: ${name}`, async (t) => {
    let killed = 0;
    const { step = 1 } = campaign;
    for (let dieAt = 1; ; dieAt += step) {
      const node = await fakeNode(t);
      const before = node.m.running();
      node.assign({ spec: campaign.spec });
      const probe = failingOnTrial(node.m);
      const whole = await node.run({ dieAt, probe });
      if (whole !== undefined) break;
      killed += 1;
      await goOn(node, campaign, probe);
      const wrong = await findWrong(node, campaign, before);
      if (wrong.length > 0) t.fail(`killed at effect ${dieAt}: ${wrong.join("; ")}`);
      node.m.faults.answers.clear();
    }
    t.ok(killed * step > 80, `${killed} effects`);
    t.comment(`${name}: killed at ${killed} effects`);
  });

/** What systemd and the machine do after a kill, until the update is over. */
async function goOn(
  node: FakeNode,
  { after }: Campaign,
  probe: ReturnType<typeof failingOnTrial>,
): Promise<void> {
  if (after === "a power cut") node.m.cutPower();
  for (let round = 0; round < 6; round++) {
    await node.boot({ probe });
    if (node.restart()) continue;
    await node.run({ probe });
    if (node.restart()) continue;
    if (isOver((await node.run({ probe }))?.update.state ?? "IDLE")) return;
  }
}

/** Everything that must hold at the end, as sentences of what does not. */
async function findWrong(
  node: FakeNode,
  { spec, end }: Campaign,
  before: string | undefined,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const records = node.records();
  const last = records.at(-1)?.update;
  // A trial whose process died while it began is over, and nothing is said about the release.
  const ends = [end, "ROLLED_BACK"];
  if (last === undefined || !ends.includes(last.state)) wrong.push(`it ended as ${last?.state}`);
  if (records.length > maxRecords) wrong.push(`${records.length} records`);
  const { files } = node.start().io;
  const isNew = last?.state === "SUCCEEDED";
  if ((readCommitted(files)?.updateId === "u-1") !== isNew) wrong.push("kept what is not so");
  if (readStaged(files) !== undefined) wrong.push("a trial is left");
  if ((node.m.running() !== before) !== isNew) wrong.push(`runs ${node.m.running()}`);
  if (node.m.running() !== node.m.bootDefault()) wrong.push("the boot default is another");
  const told = [...openSpool(files, silentLog).after(0)]
    .flatMap(({ events }) => events)
    .filter(({ kind }) => kind === "update.changed")
    .map(({ body }) => (body as { readonly seq: number }).seq);
  const seqs = records.map(({ seq }) => seq);
  if (JSON.stringify(told) !== JSON.stringify(seqs)) wrong.push(`told ${told} of ${seqs}`);
  const booted = await node.boot();
  if (booted?.outcome !== "unchanged") wrong.push(`then a boot: ${booted?.message}`);
  if (end !== "SUCCEEDED" || isNew) return wrong;
  node.assign({ id: "u-2", spec });
  await node.run();
  if (node.restart()) await node.boot();
  const next = node.records().at(-1)?.update;
  if (next?.state !== "SUCCEEDED")
    wrong.push(`then the same again: ${next?.state} ${next?.reason}`);
  return wrong;
}
