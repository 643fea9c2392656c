import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { randomFrom } from "#core/random-from.ts";
import { formatEnvironment } from "#provisioner/system/loaders/grub-environment.ts";
import { type AfterCut, afterCut, defaultSystem, journalText } from "./after-cut.ts";
import { chosenEntry, menuEntries } from "./boot-menu.ts";
import type { LogRecord } from "./console.ts";
import { type Container, container } from "./container.ts";
import { type Lab, openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { seed } from "./scenarios/documents.ts";

const skip = skipWithoutBoot();
const cuts = Number(process.env["POWER_CUTS"] ?? 20);
/** A cut takes five seconds on a machine that has nothing else to do. */
const cutMs = 60_000;
t.setTimeout(600_000 + cuts * cutMs);
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
  await restartOnce(t, campaign);
  await machine.switchOff();
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

const unsynced = [
  { what: "the syncs", sync: "/usr/bin/true", seen: /the profile: init is empty/ },
  {
    what: "the sync of the boot partition",
    sync: "/usr/lib/stand-in/sync-without-boot",
    seen: /^the boot default: .*, expected .*$/,
  },
];

for (const { what, sync, seen } of unsynced) {
  t.test(`without ${what} a cut right after the commit is seen`, { skip }, async (t) => {
    const lab = await openLab(t);
    const machine = await container(t, lab, { covers: { "/usr/bin/sync": sync } });
    const campaign = await begin(machine, lab);
    await machine.cutPower();
    const after = await afterCut(machine, { ...campaign, journal: "" });
    t.match(after.problems.join("\n"), seen, "it is not on the disk");
  });
}

t.test("a kernel and a choice that are not what they should be are seen", { skip }, async (t) => {
  const lab = await openLab(t);
  const machine = await container(t, lab);
  const before = { image: defaultSystem(machine), journal: "", told: 0 };
  const problems = async () => (await afterCut(machine, before)).problems.join("\n");
  t.equal(await problems(), "");
  const [entry] = menuEntries(machine);
  if (entry === undefined) throw new Error("expected an entry");
  const chosen = formatEnvironment(new Map([["next_entry", entry.title]])) ?? "";
  writeFileSync(machine.path("/boot/grub/grubenv"), chosen);
  t.match(
    await problems(),
    /^the next boot: .*, and neither a trial nor a first boot leads there$/,
  );
  rmSync(machine.path("/boot/grub/grubenv"));
  truncateSync(machine.path(entry.files.initrd), 10);
  t.match(await problems(), /^NixOS: .* is not the initrd of /);
});

const armedWithinMs = 60_000;
const shownLines = 80;

t.test("a first boot that does not come as far as firstlight is left", { skip }, async (t) => {
  const lab = await openLab(t);
  lab.fleet.acknowledge();
  const machine = await container(t, lab);
  const { image, told } = await begin(machine, lab);
  await machine.switchOff();
  await machine.switchOn();
  // Not by the console: so early in a boot two write to it at once, and tear lines.
  for (let waitedMs = 0; chosenEntry(machine)?.system !== image; waitedMs += pollMs) {
    if (waitedMs > armedWithinMs) {
      const last = machine.console.lines.slice(-shownLines).join("\n");
      throw new Error(`the first boot did not choose its way back:\n${last}`);
    }
    await delay(pollMs);
  }
  await machine.cutPower();
  t.equal(chosenEntry(machine)?.system, image, "the next boot is of the system from before");
  await machine.switchOn();
  const end = await machine.console.record("the way back taken", isEnd);
  const message = new RegExp(`the first boot of generation ${told} did not come as far`);
  t.match(end, { outcome: "rolled-back", message });
  t.equal(defaultSystem(machine), image, "which is the boot default again");
  t.equal(chosenEntry(machine), undefined);
});

/** How a change is put into force. */
type Way = "live" | "restart";

/** A machine in the middle of its life, and what is known of it. */
interface Campaign {
  readonly machine: Container;
  readonly lab: Lab;
  readonly image: string;
  /** What a change writes to the journal. */
  readonly records: Record<Way, number>;
  told: number;
}

/** From the image to the first commit, undisturbed. */
async function begin(machine: Container, lab: Lab): Promise<Campaign> {
  const image = defaultSystem(machine);
  await machine.insert(document(lab, { round: 0, kernelBuild: kernelBuild(machine) }));
  await machine.switchOn();
  const end = await machine.console.record("the first commit", isEnd);
  if (end["outcome"] !== "committed") throw new Error(`expected a commit: ${JSON.stringify(end)}`);
  const told = Number(end["generation"]);
  const live = recordsOf(machine);
  return { machine, lab, image, told, records: { live, restart: live } };
}

/** A change with another kernel, undisturbed: two boots after the one that begins it. */
async function restartOnce(t: Test, campaign: Campaign): Promise<void> {
  const { machine, lab, records } = campaign;
  const before = recordsOf(machine);
  await machine.insert(document(lab, { round: 0, kernelBuild: "another" }));
  await machine.reboot();
  const rebooting = await machine.console.record(
    "the restart",
    ({ msg }) => msg === "boot.finished",
  );
  t.match(rebooting, { outcome: "rebooting" }, "another kernel takes a restart");
  const end = await machine.console.record("the commit after it", isEnd);
  t.match(end, { outcome: "committed" });
  t.equal(kernelBuild(machine), "another", "which is the boot default then");
  remember(campaign, end);
  records.restart = recordsOf(machine) - before;
}

/** Every third document is not healthy, so that there is something to take back. */
function document(
  { publicKey }: Lab,
  { round, kernelBuild }: { readonly round: number; readonly kernelBuild: string },
) {
  const port = isSick(round) ? { port: 9 } : {};
  const options = [`standIn.kernelBuild: "${kernelBuild}"`];
  return seed({ motd: `round ${round}`, publicKey, pace: 1, options, ...port });
}

function isSick(round: number): boolean {
  return round % 3 === 2;
}

/** The kernel that the machine boots with by default: which of the stand-in's it is. */
function kernelBuild(machine: Container): string {
  const kernel = menuEntries(machine)[0]?.files.kernel ?? "";
  return /build (.*)\n/.exec(readFileSync(machine.path(kernel), "utf8"))?.[1] ?? "";
}

/** Starts with another document, and lets the power go while it is put into force. */
async function cut(
  campaign: Campaign,
  round: number,
  random: () => number,
): Promise<{ readonly after: AfterCut; readonly at: string }> {
  const { machine, lab, records } = campaign;
  const way: Way = round % 2 === 0 ? "restart" : "live";
  const build = way === "restart" ? `of round ${round}` : kernelBuild(machine);
  await machine.insert(document(lab, { round, kernelBuild: build }));
  const at = random() < earlyShare ? 0 : 1 + Math.floor(random() * records[way]);
  const ms = Math.round(random() * (at === 0 ? earlyMs : spreadMs));
  const before = recordsOf(machine);
  await machine.switchOn();
  if (at > 0) await reaches(machine, before + at);
  await delay(ms);
  const journal = journalText(machine);
  for (const record of machine.console.records()) remember(campaign, record);
  await machine.cutPower();
  const after = await afterCut(machine, { ...campaign, journal });
  const moment = at === 0 ? "power-on" : `record ${at}`;
  return { after, at: `${way}, ${ms} ms after ${moment}, ${after.open} open` };
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
  const last = { motd: "the last", publicKey: lab.publicKey, pace: 1 };
  const options = [`standIn.kernelBuild: "${kernelBuild(machine)}"`];
  await machine.insert(seed({ ...last, options }));
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

/** A boot that ends with a restart goes on after it. */
function isEnd({ msg, outcome }: LogRecord): boolean {
  return msg === "boot.finished" && outcome !== "rebooting";
}
