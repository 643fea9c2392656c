/** For tests: what every datasource of disks has to stand, against images made by real tools. */
import path from "node:path";
import type { Test } from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import type { Datasource, DatasourceContent } from "./datasource.ts";
import { discover } from "./discover.ts";
import { addDisk } from "./fake-machine.ts";
import { makeFat, makeIso, needs, type Tree, writeTree } from "./images/make-images.ts";

/** A disk as its makers make it. */
export interface CasedDisk {
  readonly label: string;
  readonly type: "iso9660" | "vfat";
  /** Number of a FAT volume. */
  readonly serial?: string;
  /** What is on it; default: the tree of the case. */
  readonly tree?: Tree;
  /** Kernel's name; default `sr0` for ISO 9660, `vdb` for FAT. */
  readonly name?: string;
}

/** A datasource, disks that are it, and what they say. */
export interface DriveCase {
  readonly datasource: Datasource;
  /** Files of the machine beside its disks. */
  readonly machine?: Tree;
  readonly tree: Tree;
  readonly on: readonly CasedDisk[];
  /** Disks that look like it and are not. */
  readonly off: readonly CasedDisk[];
  /** What the instance is to match. */
  readonly expected: object;
  readonly userData: string | undefined;
  /** Trees that cannot be meant, with the fault that names what is wrong. */
  readonly malformed: Readonly<
    Record<string, { readonly tree: Tree; readonly code: string; readonly message: RegExp }>
  >;
}

/** The table of tests of one datasource: absent, malformed, a dead disk then right, right. */
export function tryDrive(t: Test, tried: DriveCase): void {
  const { datasource, machine = {}, tree, on, off, expected, userData, malformed } = tried;
  const { name } = datasource;
  const programs = needs("genisoimage", "mkfs.vfat", "mcopy");

  const machineWith = (t: Pick<Test, "testdir">, ...disks: readonly CasedDisk[]): FakeIo => {
    const scratch = t.testdir();
    const root = writeTree(path.join(scratch, "root"), machine);
    for (const disk of disks) addDisk(root, diskName(disk), { image: makeImage(scratch, disk) });
    return fakeIo(root);
  };
  const makeImage = (scratch: string, disk: CasedDisk): string => {
    const image = path.join(scratch, diskName(disk));
    const { label, type, serial, tree: own = tree } = disk;
    if (type === "iso9660") {
      const program = "genisoimage -J -r";
      return makeIso(image, writeTree(`${image}.tree`, own), { label, program });
    }
    const extra = serial === undefined ? {} : { extra: ["-i", serial.replace("-", "")] };
    return makeFat(image, own, { label, ...extra });
  };

  t.test(`${name}: a machine without it is not on it`, programs, async (t) => {
    t.equal(datasource.detect(machineWith(t)), undefined);
    for (const disk of off)
      t.equal(datasource.detect(machineWith(t, disk)), undefined, JSON.stringify(disk));
  });

  t.test(`${name}: what it says`, programs, async (t) => {
    for (const disk of on) {
      const { instance, secrets, findings } = await readFrom(datasource, machineWith(t, disk));
      const place = `disk /dev/${diskName(disk)}`;
      t.match(instance, { datasource: { name, place }, ...expected }, disk.label);
      const given = secrets.get("user-data")?.reveal();
      t.equal(given && Buffer.from(given).toString(), userData);
      t.same(findings, []);
    }
  });

  t.test(`${name}: a dead disk is none, and one that comes back is read`, programs, async (t) => {
    const [disk] = on;
    if (disk === undefined) throw new Error("a case without a disk");
    const io = machineWith(t, disk);
    let dead = true;
    const dying = {
      ...io,
      files: {
        ...io.files,
        open: (file: string, options?: { readonly size?: number }) => {
          if (dead) throw new Fault("io/read-failed", `${file}: input/output error`);
          return io.files.open(file, options);
        },
      },
    };
    t.equal(datasource.detect(dying), undefined);
    dead = false;
    const detection = datasource.detect(dying);
    if (detection === undefined) throw new Error("not detected");
    dead = true;
    await t.rejects(datasource.read(dying, detection), { code: "io/read-failed" });
    dead = false;
    t.match((await datasource.read(dying, detection)).instance, expected);
  });

  t.test(`${name}: the disk that a node is pinned to comes first`, programs, async (t) => {
    const [disk] = on;
    if (disk === undefined) throw new Error("a case without a disk");
    const [own, other] = diskName(disk) === "sr0" ? ["sr0", "sr1"] : ["xvdb", "xvdc"];
    const io = machineWith(t);
    const scratch = path.dirname(io.files.root);
    for (const node of [own, other]) {
      const image = makeImage(scratch, { ...disk, name: node });
      addDisk(io.files.root, node, { image, attributes: { serial: `${node}\n` } });
    }
    const look = async (identity: string) => {
      const pinned = { datasource: name, identity, yieldsTo: () => false };
      const options = { datasources: [name], log: silentLog, tools, pinned };
      const found = await discover(io, options);
      if (found.kind !== "found") throw new Error("expected a datasource");
      const { instance, findings } = found.content;
      const told = findings.filter(({ code }) => code === "datasource/several");
      return [instance.datasource.place, ...told.map(({ document }) => document)];
    };
    const places = { own: `disk /dev/${own}`, other: `disk /dev/${other}` };
    t.same(await look(`disk serial ${own}`), [places.own, places.other]);
    t.same(await look("disk serial gone"), [places.other, places.own]);
  });

  for (const [what, { tree: broken, code, message }] of Object.entries(malformed)) {
    t.test(`${name}: malformed: ${what}`, programs, async (t) => {
      const [disk] = on;
      if (disk === undefined) throw new Error("a case without a disk");
      const io = machineWith(t, { ...disk, tree: broken });
      await t.rejects(readFrom(datasource, io), { code, message });
    });
  }
}

function diskName({ name, type }: CasedDisk): string {
  return name ?? (type === "iso9660" ? "sr0" : "vdb");
}

/** Detects and reads, as a boot does. */
export async function readFrom(datasource: Datasource, io: FakeIo): Promise<DatasourceContent> {
  const detection = datasource.detect(io);
  if (detection === undefined) throw new Error("not detected");
  return datasource.read(io, detection, tools);
}

/** What reading has in the boot itself. */
export const tools = { budgetMs: 1_000, defaultUser: "nixos" };
