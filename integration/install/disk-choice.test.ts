import t from "tap";
import { codes } from "#core/codes.ts";
import { randomFrom } from "#core/random-from.ts";
import { chooseDisk, type DiskChoice, type DiskRequest } from "#provisioner/install/choose-disk.ts";
import {
  type DiskTruth,
  type Fault,
  type Machine,
  makeMachine,
  reportOf,
} from "./made-up-machines.ts";

// The machines are made with the truth about each disk beside them; what may be taken is worked out from
// that truth alone, by rules written down again here, and not from what the witnesses say.

const machines = 12_000;
/** Codes of an installation that say nothing of a choice. */
const ofNoChoice = ["install/disk-changed", "install/no-uefi", "install/no-passphrase"];
const gibibyte = 1024 ** 3;

interface Asked extends DiskRequest {
  /** The disks that the names mean; `null` where one of them means none. */
  readonly meant: readonly DiskTruth[] | null;
}

/** Whether a person may have this disk erased by naming it. */
function mayBeNamed({ fault }: Machine, disk: DiskTruth, request: Asked): boolean {
  const isHit = "disk" in fault && fault.disk === disk.key;
  return (
    disk.serial === "own" &&
    !disk.started &&
    disk.content !== "image" &&
    disk.use === null &&
    !disk.readOnly &&
    disk.hasMedium &&
    disk.sizeBytes >= request.minBytes &&
    !(isHit && fault.kind !== "blind")
  );
}

/** Whether it may be taken though nobody named it. */
function mayBeTaken(machine: Machine, disk: DiskTruth, request: Asked): boolean {
  return (
    mayBeNamed(machine, disk, request) &&
    (disk.content === "zeros" || disk.content === "empty table") &&
    disk.transport !== "usb" &&
    !disk.isCard &&
    !disk.removable &&
    (request.transports === null || request.transports.includes(disk.transport))
  );
}

const blinding: readonly Fault["kind"][] = [
  "no lsblk",
  "no kernel",
  "no mounts",
  "no links",
  "stranger",
];

/** The disks that must be taken, by their serial numbers; `null` where all must be refused. */
function expected(machine: Machine, request: Asked): readonly string[] | null {
  const { disks, fault } = machine;
  if (blinding.includes(fault.kind)) return null;
  if (request.named.length > 0) {
    const { meant } = request;
    if (meant === null || meant.length !== request.count) return null;
    if (new Set(meant).size !== meant.length) return null;
    return meant.every((disk) => mayBeNamed(machine, disk, request))
      ? meant.map(({ key }) => key)
      : null;
  }
  const free = disks.filter((disk) => mayBeTaken(machine, disk, request));
  if (free.length !== request.count) return null;
  return new Set(free.map(({ sizeBytes }) => sizeBytes)).size === 1
    ? free.map(({ key }) => key)
    : null;
}

function ask(machine: Machine, random: () => number): Asked {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const count = random() < 0.3 ? 2 : 1;
  const transports = random() < 0.4 ? null : (["nvme", "ata"] as const);
  const base = { count, transports, minBytes: 32 * gibibyte };
  const own = machine.disks.filter(({ serial }) => serial !== "none");
  if (random() < 0.45 || own.length === 0) return { ...base, named: [], meant: null };
  if (random() < 0.12) {
    const strange = ["nvme-OTHER_MACHINE_1", "nvme0n1", "/dev/sda", "sda", machine.partitionId];
    return { ...base, named: Array.from({ length: count }, () => pick(strange)), meant: null };
  }
  const meant = Array.from({ length: random() < 0.9 ? count : 3 - count }, () => pick(own));
  return { ...base, named: meant.map(({ id }) => id), meant };
}

function takenBy(machine: Machine, choice: DiskChoice): readonly string[] | null {
  if (choice.kind === "refused") return null;
  return choice.disks.map(({ id, tableHash, sizeBytes }) => {
    const disk = machine.disks.find((each) => each.key === tableHash);
    // A binding to what stands on one disk under the name of another would erase the wrong one.
    const isSame = disk?.id === id && disk.sizeBytes === sizeBytes && disk.serial === "own";
    return isSame ? disk.key : `${id} is not what stands on it`;
  });
}

/** What is not said that should be. */
function unexplained(choice: DiskChoice): readonly string[] {
  const bad: string[] = [];
  const check = (code: string, message: string) => {
    if (!Object.hasOwn(codes, code) || !code.startsWith("install/")) bad.push(`unknown ${code}`);
    if (message.length < 10 || /undefined|NaN/.test(message)) bad.push(`${code}: ${message}`);
  };
  if (choice.kind === "refused") {
    check(choice.code, choice.message);
    if (choice.hint.length < 10) bad.push(`no hint for ${choice.code}`);
    if (choice.code === "install/no-candidate")
      for (const { name, refusals } of choice.verdicts)
        if (refusals.length === 0) bad.push(`${name} is not taken, and nothing says why`);
  }
  for (const { code, message } of choice.verdicts.flatMap(({ refusals }) => refusals))
    check(code, message);
  return bad;
}

t.test(
  `${machines} machines: no disk is taken that should not be, and none left that should`,
  async (t) => {
    const seen = new Map<string, number>();
    const wrong: unknown[] = [];
    for (let seed = 1; seed <= machines && wrong.length < 5; seed++) {
      const random = randomFrom(seed);
      const machine = makeMachine(random);
      const request = ask(machine, random);
      const choice = chooseDisk(reportOf(machine, random), request);
      const taken = takenBy(machine, choice);
      const should = expected(machine, request);
      const words = unexplained(choice);
      const isSame = JSON.stringify(taken?.toSorted()) === JSON.stringify(should?.toSorted());
      if (!isSame || words.length > 0)
        wrong.push({ seed, fault: machine.fault, request, taken, should, words, choice });
      const code = choice.kind === "chosen" ? `chosen ${request.named.length}` : choice.code;
      const all = choice.verdicts.flatMap(({ refusals }) => refusals.map((each) => each.code));
      for (const each of new Set([code, ...all])) seen.set(each, (seen.get(each) ?? 0) + 1);
    }
    t.same(wrong, []);
    // The machines are of use only where they lead everywhere.
    const expectedCodes = Object.keys(codes).filter(
      (code) =>
        /^install\/(disk|no-|several|witness|id-|boot-m|read|removable|other|not-a|name)/.test(
          code,
        ) && !ofNoChoice.includes(code),
    );
    const unseen = ["chosen 0", "chosen 1", "chosen 2", ...expectedCodes].filter(
      (code) => (seen.get(code) ?? 0) < 10,
    );
    t.same(unseen, [], `each end is met ten times: ${JSON.stringify([...seen])}`);
  },
);
