import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { Secret } from "#core/secret.ts";
import { applyPlan } from "./apply.ts";
import { chooseDisk } from "./choose-disk.ts";
import { fakeInstaller } from "./fake-installer.ts";
import { keepHome, wishesOfKept } from "./keep-home.ts";
import { makePlan, readPlan } from "./plan.ts";
import { sampleWishes } from "./sample-layouts.ts";

const usual = sampleWishes["encrypted-ext4-hibernate"];
if (usual === undefined) throw new Error("no sample");
// In memory where that is to be had: what is tried here is the order of things, and not the disk.
const places = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const tell = () => {};

function place(t: Test): string {
  const root = mkdtempSync(path.join(places, "firstlight-apply-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

t.test("a plan is done step by step, and nothing of it is left open", async (t) => {
  const machine = await fakeInstaller(place(t), usual);
  const { plan, passphrase, readReport } = machine;
  const io = machine.io();
  const applied = await applyPlan({ io, plan, passphrase, readReport, tell });
  t.match(applied, { plan: plan.digest, resumed: false });
  const contents = machine.contents();
  t.equal(contents["nvme0n1p1/state"], "vfat");
  t.equal(contents["nvme0n1p3/state"], "luks correct horse");
  t.equal(contents["nvme0n1p1/tree/EFI/BOOT/BOOTX64.EFI"], "boot loader");
  t.equal(contents[`dm-`], undefined);
  t.equal(contents["mapper-firstlight-cryptroot/tree/etc/passwd"], "root");
  t.match(
    Object.keys(contents).join("\n"),
    /var\/lib\/firstlight\/sources\/c{64}\/configuration\.nix/,
  );
  t.notMatch(io.files.readText("/proc/self/mountinfo"), /\/mnt/);
  t.equal(io.files.stat("/dev/mapper/firstlight-cryptroot"), undefined);
  const said = JSON.stringify(io.executed.map(({ stdin: _, ...each }) => each));
  t.notMatch(said, /correct horse/, "the passphrase is in no command");
  await t.rejects(applyPlan({ io, plan, passphrase, readReport, tell }), {
    code: "install/done-already",
  });
});

t.test("what would go wrong is said before the first write", async (t) => {
  const machine = await fakeInstaller(place(t), usual);
  const { plan, passphrase, readReport } = machine;
  const before = machine.contents();
  const io = machine.io();
  await t.rejects(applyPlan({ io, plan, passphrase: null, readReport, tell }), {
    code: "install/no-passphrase",
  });
  const report = await readReport();
  const other = { ...report, links: {} };
  await t.rejects(applyPlan({ io, plan, passphrase, readReport: async () => other, tell }), {
    code: "install/no-such-disk",
  });
  io.files.write("/proc/self/mountinfo", "30 1 0:30 / /mnt rw - ext4 /dev/sdz1 rw\n");
  await t.rejects(applyPlan({ io, plan, passphrase, readReport, tell }), {
    code: "install/target-busy",
  });
  t.same(machine.contents(), before);
  t.same(
    io.effects.filter((each) => !each.startsWith("write /proc")),
    [],
  );
});

t.test("a wrong passphrase in a second start is told, and the right one goes on", async (t) => {
  const machine = await fakeInstaller(place(t), usual);
  const { plan, passphrase, readReport } = machine;
  const dies = machine.io((_, name) => {
    if (name === "install make-nixos") throw new Error("cut");
  });
  await t.rejects(applyPlan({ io: dies, plan, passphrase, readReport, tell }), { message: "cut" });
  machine.cutPower();
  const wrong = new Secret("wrong");
  await t.rejects(applyPlan({ io: machine.io(), plan, passphrase: wrong, readReport, tell }), {
    code: "install/passphrase",
  });
  const known: string[] = [];
  const applied = await applyPlan({
    ...{ io: machine.io(), plan, passphrase, readReport },
    tell: ({ step, is }) => is === "known" && known.push(step.id),
  });
  t.ok(applied.resumed);
  t.ok(known.includes("encrypt-cryptroot"), "what was done is not done again");
});

t.test("a system of this plan that has no journal is not written over", async (t) => {
  const machine = await fakeInstaller(place(t), usual);
  const { plan, passphrase, readReport } = machine;
  await applyPlan({ io: machine.io(), plan, passphrase, readReport, tell });
  machine.io().files.remove("/.contents/nvme0n1p1/tree/firstlight-install");
  await t.rejects(applyPlan({ io: machine.io(), plan, passphrase, readReport, tell }), {
    code: "install/half-made",
  });
});

t.test("a second plan keeps the home of the first, cut in the middle as well", async (t) => {
  const wishes = { ...usual, name: "plain", swap: "zram", home: "partition" } as const;
  const machine = await fakeInstaller(place(t), wishes);
  const { plan, passphrase, readReport } = machine;
  await applyPlan({ io: machine.io(), plan, passphrase, readReport, tell });
  const { files } = machine.io();
  files.write("/.contents/nvme0n1p3/tree/letter", "to be kept");
  files.write("/.contents/nvme0n1p2/tree/letter", "not to be kept");
  const report = await readReport();
  const content = report.content["nvme0n1"];
  const named = plan.disks.map(({ id }) => id);
  const choice = chooseDisk(report, { ...plan.request, named });
  if (content == null || choice.kind === "refused") return t.fail("no disk");
  const seed = "6eed5eed-5eed-4eed-8eed-5eed5eed5eed";
  const ground = { disks: choice.disks, memoryBytes: null, seed };
  const layout = keepHome(wishesOfKept(content, wishes), ground, content);
  const again = makePlan({
    ...{ ...plan, layout, verdicts: choice.verdicts, sources: plan.configuration },
  });
  t.same(readPlan(JSON.stringify(again), "plan.json"), again);
  t.equal(again.alternatives, null, "neither repart nor disko keeps anything");
  const dies = machine.io((_, name) => {
    if (name === "install build-system") throw new Error("cut");
  });
  const rest = { plan: again, passphrase, readReport, tell };
  await t.rejects(applyPlan({ io: dies, ...rest }), { message: "cut" });
  machine.cutPower();
  t.match(await applyPlan({ io: machine.io(), ...rest }), { resumed: true });
  const contents = machine.contents();
  t.equal(contents["nvme0n1p3/tree/letter"], "to be kept");
  t.equal(contents["nvme0n1p2/tree/letter"], undefined);
  await t.rejects(applyPlan({ io: machine.io(), ...rest }), { code: "install/done-already" });
});
