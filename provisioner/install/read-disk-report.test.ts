import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { isFault } from "#core/fault.ts";
import { checkApproval } from "./approval.ts";
import { chooseDisk } from "./choose-disk.ts";
import { type FakeDisk, factsOfDisk, fakeLsblk, putDisks } from "./fake-disks.ts";
import { readDiskReport } from "./read-disk-report.ts";

const sizeBytes = 64 * 1024 * 1024;
const disk: FakeDisk = { name: "nvme0n1", id: "nvme-Fake_S1", sizeBytes };
const other: FakeDisk = { name: "nvme1n1", id: "nvme-Fake_S2", sizeBytes };
const request = { named: [], count: 1, transports: null, minBytes: 1024 };
const tableId = "11111111-2222-4333-8444-555555555555";

function machine(t: Test, disks: readonly FakeDisk[], lsblk: FakeProgram = fakeLsblk(disks)) {
  const root = t.testdir();
  putDisks(root, disks);
  const io = fakeIo(root, { lsblk });
  const facts = disks.map(factsOfDisk);
  return { root, io, facts, report: () => readDiskReport(io, facts) };
}

function partition(root: string, name: string, id: string): void {
  const input = `label: gpt\nlabel-id: ${id}\nsize=8MiB, type=U, name=one\nsize=8MiB, type=L\n`;
  execFileSync("sfdisk", ["--quiet", path.join(root, "dev", name)], { input, stdio: "pipe" });
}

t.test(
  "an empty disk is chosen by its own id, and the approval holds as long as nothing changes",
  async (t) => {
    const { root, report } = machine(t, [disk]);
    const choice = chooseDisk(await report(), request);
    if (choice.kind !== "chosen") return t.fail(choice.message);
    const approved = choice.disks.map((each) => ({ ...each, tableId }));
    t.match(approved, [{ id: disk.id, sizeBytes, sectorBytes: 512, holds: [] }]);
    t.same(checkApproval(await report(), approved, request), ["untouched"]);

    writeFileSync(path.join(root, "dev/nvme0n1"), "one word", { flag: "r+" });
    const after = await report();
    t.throws(() => checkApproval(after, approved, request), { code: "install/disk-changed" });
  },
);

t.test("what the plan itself has begun is known again by its table", async (t) => {
  const { root, io } = machine(t, [disk]);
  const before = chooseDisk(await readDiskReport(io, [factsOfDisk(disk)]), request);
  if (before.kind !== "chosen") return t.fail(before.message);
  const approved = before.disks.map((each) => ({ ...each, tableId }));
  const partitions = [1, 2].map((number) => ({
    ...{ name: `nvme0n1p${number}`, number, sizeBytes: 8 * 1024 * 1024 },
    ...{ type: null, signature: "none" },
  }));
  const begun = { ...factsOfDisk(disk), partitionTable: "gpt", partitions };
  const lsblk: FakeProgram = () => ({
    stdout: JSON.stringify({
      blockdevices: [
        {
          ...{ name: "nvme0n1", type: "disk", size: sizeBytes, rm: false, ro: false },
          children: partitions.map(({ name, sizeBytes: size }) => ({ name, type: "part", size })),
        },
      ],
    }),
  });
  for (const [id, found] of [
    [tableId, "begun"],
    ["99999999-2222-4333-8444-555555555555", null],
  ] as const) {
    partition(root, "nvme0n1", id);
    const report = await readDiskReport(fakeIo(root, { lsblk }), [begun]);
    t.equal(report.content["nvme0n1"]?.table.id, id);
    t.equal(report.content["nvme0n1"]?.table.entries[0]?.name, "one");
    if (found === null)
      t.throws(() => checkApproval(report, approved, request), { code: "install/disk-changed" });
    else t.same(checkApproval(report, approved, request), [found]);
  }
});

t.test("names that were swapped between plan and apply are seen", async (t) => {
  const { io, facts } = machine(t, [disk, other]);
  const choice = chooseDisk(await readDiskReport(io, facts), { ...request, named: [disk.id] });
  if (choice.kind !== "chosen") return t.fail(choice.message);
  const approved = choice.disks.map((each) => ({ ...each, tableId }));
  // The disk has the other name of the kernel after a restart; something is on the one that has its old name.
  const swapped = [
    { ...disk, name: other.name },
    { ...other, name: disk.name },
  ];
  const { root, io: later } = machine(t, swapped);
  writeFileSync(path.join(root, "dev", disk.name), "somebody's data", { flag: "r+" });
  const report = await readDiskReport(later, swapped.map(factsOfDisk));
  t.same(checkApproval(report, approved, request), ["untouched"]);
  t.equal(report.links[disk.id], other.name);
  // On another machine there is no such disk.
  const foreign = machine(t, [{ ...other, id: "nvme-Fake_S3" }]);
  const elsewhere = await foreign.report();
  t.throws(() => checkApproval(elsewhere, approved, request), { code: "install/no-such-disk" });
});

t.test("the kernel's mounts, swaps and sets make a disk one that is in use", async (t) => {
  const { root, io, facts } = machine(t, [disk]);
  const mountinfo = (device: string) => `21 1 259:0 / /data rw - ext4 ${device} rw\n`;
  writeFileSync(path.join(root, "proc/self/mountinfo"), mountinfo("/dev/nvme0n1"));
  const choice = chooseDisk(await readDiskReport(io, facts), { ...request, named: [disk.id] });
  t.match(choice, { kind: "refused", code: "install/disk-in-use", message: /mounted at \/data/ });
});

t.test("without one of the witnesses nothing is chosen, and the reason is told", async (t) => {
  const answers: Readonly<Record<string, FakeProgram>> = {
    "no output at all": () => ({ stdout: "" }),
    "an empty list": () => ({ stdout: '{"blockdevices": []}' }),
    "no JSON": () => ({ stdout: "lsblk: not found" }),
    "an error": () => ({ code: 32, stdout: '{"blockdevices": [{"name": "sda"}]}' }),
    "too late": () => ({ timedOut: true, code: null }),
  };
  for (const [what, lsblk] of Object.entries(answers)) {
    const { report } = machine(t, [disk], lsblk);
    const choice = chooseDisk(await report(), request);
    t.match(
      choice,
      { kind: "refused", code: "install/witness-missing", message: /^lsblk: / },
      what,
    );
  }
  const missing = machine(t, [disk]);
  const choice = chooseDisk(await readDiskReport(fakeIo(missing.root), missing.facts), request);
  t.match(choice, { kind: "refused", message: "lsblk: it is not on the PATH" });
  const noKernel = chooseDisk(await readDiskReport(missing.io, null), request);
  t.match(noKernel, { kind: "refused", code: "install/witness-missing", message: /sys\/block/ });
});

t.test("a disk that cannot be read is none to be chosen", async (t) => {
  const { io, facts } = machine(t, [disk]);
  const gone = facts.map((each) => ({ ...each, name: "nvme9n1" }));
  const report = await readDiskReport(io, gone);
  t.equal(report.content["nvme9n1"], null);
  const choice = chooseDisk(report, request);
  t.ok(choice.kind === "refused" && choice.verdicts.every(({ refusals }) => refusals.length > 0));
  t.notOk(isFault(choice));
});
