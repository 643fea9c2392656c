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

/** Of rounds whose document is not healthy, so much longer for its check to fail in. */
const sickMs = 3_000;
/** So often the power goes before firstlight has begun. */
const earlyShare = 0.15;

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
  t.not(after.problems.length, 0, "what was committed is not on the disk");
  t.comment(after.problems.join("\n"));
});

/** A machine in the middle of its life, and what is known of it. */
interface Campaign {
  readonly machine: Container;
  readonly lab: Lab;
  readonly image: string;
  /** How long a change takes when nothing disturbs it. */
  readonly changeMs: number;
  told: number;
}

/** From the image to the first commit, undisturbed. */
async function begin(machine: Container, lab: Lab): Promise<Campaign> {
  const image = defaultSystem(machine);
  await machine.insert(document(lab, 0));
  await machine.switchOn();
  await machine.console.record("the start", isStart);
  const started = Date.now();
  const end = await machine.console.record("the first commit", isEnd);
  if (end["outcome"] !== "committed") throw new Error(`expected a commit: ${JSON.stringify(end)}`);
  const told = Number(end["generation"]);
  return { machine, lab, image, changeMs: Date.now() - started, told };
}

/** Every third document is not healthy, so that there is something to take back. */
function document({ publicKey }: Lab, round: number) {
  const port = isSick(round) ? { port: 9 } : {};
  return seed({ motd: `round ${round}`, publicKey, ...port });
}

function isSick(round: number): boolean {
  return round % 3 === 2;
}

/** Restarts with another document, and lets the power go while it is put into force. */
async function cut(
  campaign: Campaign,
  round: number,
  random: () => number,
): Promise<{ readonly after: AfterCut; readonly at: string }> {
  const { machine, lab, changeMs } = campaign;
  if (round === 1) await machine.switchOff();
  await machine.insert(document(lab, round));
  await machine.switchOn();
  const early = random() < earlyShare;
  const ms = Math.round(random() * (changeMs * 1.2 + (isSick(round) ? sickMs : 0)));
  if (!early) await machine.console.record("the start", isStart);
  await delay(ms);
  const journal = journalText(machine);
  for (const record of machine.console.records()) remember(campaign, record);
  await machine.cutPower();
  const after = await afterCut(machine, { ...campaign, journal });
  return { after, at: `${ms} ms after ${early ? "power-on" : "the start"}, ${after.open} open` };
}

/** What was said before the power went holds. */
function remember(campaign: Campaign, record: LogRecord): void {
  const hasCommitted = isEnd(record) && record["outcome"] === "committed";
  if (hasCommitted) campaign.told = Math.max(campaign.told, Number(record["generation"]));
}

async function goesOn(t: Test, { machine, lab }: Campaign): Promise<void> {
  await machine.insert(seed({ motd: "the last", publicKey: lab.publicKey }));
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

function isStart({ msg }: LogRecord): boolean {
  return msg === "recover.finished";
}

function isEnd({ msg }: LogRecord): boolean {
  return msg === "boot.finished";
}
