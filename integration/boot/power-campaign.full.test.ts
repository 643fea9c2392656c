import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { randomFrom } from "../random.ts";
import { type AfterCut, afterCut, defaultSystem, journalText } from "./after-cut.ts";
import type { LogRecord } from "./console.ts";
import { type Container, container } from "./container.ts";
import { type Lab, openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { seed } from "./scenarios/documents.ts";

t.setTimeout(3_000_000);
const skip = skipWithoutBoot();
const cuts = Number(process.env["POWER_CUTS"] ?? 20);
const randomSeed = Number(process.env["POWER_SEED"] ?? 20_260_131);

/** A cut comes at most so long after its record. */
const spreadMs = 300;
/** So often the power goes before firstlight has begun, at most so long after power-on. */
const earlyShare = 0.1;
const earlyMs = 3_000;
const pollMs = 5;

t.test("the power goes at any moment of a change, and of the way back", { skip }, async (t) => {
  const random = randomFrom(randomSeed);
  t.comment(`POWER_CUTS=${cuts} POWER_SEED=${randomSeed}`);
  const lab = await openLab(t);
  lab.fleet.acknowledge();
  const machine = await container(t, lab);
  const campaign = await begin(machine, lab);
  const open = new Map<string, number>();
  for (let round = 1; round <= cuts; round++) {
    const { after, at } = await cut(campaign, round, random);
    open.set(after.open, (open.get(after.open) ?? 0) + 1);
    t.same([...after.problems], [], `cut ${round} (${at}): sound, and nothing lost`);
    if (after.problems.length > 0) return; // it would only be found again
  }
  t.comment(`open when the power went: ${[...open].map((pair) => pair.join(" ")).join(", ")}`);
  await t.test("the machine goes on as if nothing had been", (t) => goesOn(t, campaign));
});

t.test("without the syncs a cut right after the commit is seen", { skip }, async (t) => {
  const lab = await openLab(t);
  const machine = await container(t, lab, { covers: { "/usr/bin/sync": "/usr/bin/true" } });
  const campaign = await begin(machine, lab);
  await machine.cutPower();
  const after = await afterCut(machine, { ...campaign, journal: "" });
  t.match(after.problems.join("\n"), /the profile: init is empty/, "it is not on the disk");
});

/** A machine in the middle of its life, and what is known of it. */
interface Campaign {
  readonly machine: Container;
  readonly lab: Lab;
  readonly image: string;
  /** What a change writes to the journal. */
  readonly records: number;
  told: number;
}

/** From the image to the first commit, undisturbed. */
async function begin(machine: Container, lab: Lab): Promise<Campaign> {
  const image = defaultSystem(machine);
  await machine.insert(document(lab, 0));
  await machine.switchOn();
  const end = await machine.console.record("the first commit", isEnd);
  if (end["outcome"] !== "committed") throw new Error(`expected a commit: ${JSON.stringify(end)}`);
  const told = Number(end["generation"]);
  return { machine, lab, image, told, records: recordsOf(machine) };
}

/** Every third document is not healthy, so that there is something to take back. */
function document({ publicKey }: Lab, round: number) {
  const port = isSick(round) ? { port: 9 } : {};
  return seed({ motd: `round ${round}`, publicKey, pace: 1, ...port });
}

function isSick(round: number): boolean {
  return round % 3 === 2;
}

/** Starts with another document, and lets the power go while it is put into force. */
async function cut(
  campaign: Campaign,
  round: number,
  random: () => number,
): Promise<{ readonly after: AfterCut; readonly at: string }> {
  const { machine, lab } = campaign;
  if (round === 1) await machine.switchOff();
  await machine.insert(document(lab, round));
  const at = random() < earlyShare ? 0 : 1 + Math.floor(random() * campaign.records);
  const ms = Math.round(random() * (at === 0 ? earlyMs : spreadMs));
  const before = recordsOf(machine);
  await machine.switchOn();
  if (at > 0) await reaches(machine, before + at);
  await delay(ms);
  const journal = journalText(machine);
  for (const record of machine.console.records()) remember(campaign, record);
  await machine.cutPower();
  const after = await afterCut(machine, { ...campaign, journal });
  return {
    after,
    at: `${ms} ms after ${at === 0 ? "power-on" : `record ${at}`}, ${after.open} open`,
  };
}

/** Waits until the journal is so long, or firstlight has come to its end before. */
async function reaches(machine: Container, records: number): Promise<void> {
  let hasEnded = false;
  const end = machine.console.record("the end", isEnd).finally(() => {
    hasEnded = true;
  });
  while (!hasEnded && recordsOf(machine) < records) await delay(pollMs);
  if (hasEnded) await end;
  else end.catch(() => {}); // the power goes before it
}

function recordsOf(machine: Container): number {
  return journalText(machine).split("\n").length - 1;
}

/** What was said before the power went holds. */
function remember(campaign: Campaign, record: LogRecord): void {
  const hasCommitted = isEnd(record) && record["outcome"] === "committed";
  if (hasCommitted) campaign.told = Math.max(campaign.told, Number(record["generation"]));
}

async function goesOn(t: Test, { machine, lab }: Campaign): Promise<void> {
  await machine.insert(seed({ motd: "the last", publicKey: lab.publicKey, pace: 1 }));
  await machine.switchOn();
  const end = await machine.console.record("the last commit", isEnd);
  t.match(end, { outcome: "committed" });
  t.match((await machine.run(["cat", "/etc/motd"])).stdout, "the last\n");
  const isLast = ({ topic, body }: { readonly topic: string; readonly body: object }) =>
    topic.endsWith("/event/boot.finished") &&
    (body as { generation?: unknown }).generation === end["generation"];
  await lab.fleet.wait("the last commit", isLast);
  const seqs = [...new Set(lab.fleet.seqs())].sort((a, b) => a - b);
  const whole = seqs.map((_, index) => index + 1);
  t.same(seqs, whole, "every event that was written down has reached the fleet");
}

function isEnd({ msg }: LogRecord): boolean {
  return msg === "boot.finished";
}
