import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Io } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { discover } from "./discover.ts";
import { addDisk, addSeedDirectory, setKernelCommandLine } from "./fake-machine.ts";
import { makeFat, needs, writeTree } from "./images/make-images.ts";
import { lookForLateDisks } from "./late-disks.ts";

const tools = needs("mkfs.vfat", "mcopy");
const stick = "sys/bus/usb/drivers/usb-storage/1-2:1.0";

/** What happens on a machine, by the milliseconds since its start. */
type Events = Readonly<Record<number, () => void>>;

/** A machine with udev, on which these things happen while somebody waits. */
function machine(t: { testdir(): string }, events: (root: string) => Events = () => ({})) {
  const root = path.join(t.testdir(), "root");
  writeTree(path.join(root, "run/udev"), { control: "" });
  const fake = fakeIo(root);
  const left = new Map(Object.entries(events(root)).map(([ms, event]) => [Number(ms), event]));
  const { clock } = fake;
  const sleep: typeof clock.sleep = async (ms, signal) => {
    await clock.sleep(ms, signal);
    for (const [at, event] of left) {
      if (at > clock.monotonicMs()) continue;
      left.delete(at);
      event();
    }
  };
  const io: Io = { ...fake, clock: { ...clock, sleep } };
  return { io, root, waitedMs: () => clock.monotonicMs() };
}

/** Looks as `bootstrap` does, and counts. */
async function look(io: Io, datasources?: readonly string[]) {
  let looks = 0;
  const found = await lookForLateDisks({ io, log: silentLog, datasources }, async () => {
    looks += 1;
    const discovery = await discover(io, { datasources, log: silentLog });
    if (discovery.kind === "disabled") throw new Error("it is not switched off");
    return discovery.content;
  }).then(
    ({ instance }) => instance.instanceId,
    (error) => error.code as string,
  );
  return { found, looks };
}

const files = (id: string) => ({
  "meta-data": `instance-id: ${id}\n`,
  "user-data": "#cloud-config\n",
});

/** An image of a seed, beside the machine. */
function seedOf(root: string): string {
  return makeFat(path.join(root, "../seed.img"), files("i-late"), { label: "CIDATA" });
}

const startQueue = (root: string) => writeTree(path.join(root, "run/udev"), { queue: "" });
const endQueue = (root: string) => rmSync(path.join(root, "run/udev/queue"), { force: true });

t.test("a disk that appears while udev is at work is found", tools, async (t) => {
  const { io, root, waitedMs } = machine(t, (root) => ({
    1900: () => addDisk(root, "vdb", { image: seedOf(root) }),
    2000: () => endQueue(root),
  }));
  startQueue(root);
  addDisk(root, "vda");
  t.same(await look(io), { found: "i-late", looks: 2 }, "it looks again where a disk has come");
  t.equal(waitedMs(), 1_900, "and goes on at once");
});

t.test("a stick whose driver is still looking for its disk is waited for", tools, async (t) => {
  const { io, root, waitedMs } = machine(t, (root) => {
    const disk = path.join(root, stick, "host6/target6:0:0/6:0:0:0/block/sda");
    return {
      1200: () => {
        addDisk(root, "sda", { image: seedOf(root) });
        writeTree(disk, { size: "" });
      },
    };
  });
  writeTree(path.join(root, stick), { "host6/uevent": "" });
  t.match(await look(io), { found: "i-late" }, "no event is under way meanwhile");
  t.equal(waitedMs(), 1_200);
});

t.test("a machine without a seed hardly waits", async (t) => {
  const quiet = machine(t);
  t.match(await look(quiet.io), { found: "datasource/none" });
  t.equal(quiet.waitedMs(), 200, "udev may be about to hear of a disk");
  const withStick = machine(t);
  writeTree(path.join(withStick.root, stick, "host6/target6:0:0/6:0:0:0/block/sda"), { size: "" });
  t.match(await look(withStick.io), { found: "datasource/none" });
  t.equal(withStick.waitedMs(), 200, "nor for a stick whose disk is there");
  const short = machine(t, (root) => ({ 700: () => endQueue(root) }));
  startQueue(short.root);
  t.match(await look(short.io), { found: "datasource/none" });
  t.equal(short.waitedMs(), 800, "no longer than udev has work");
});

t.test("it never waits longer than 5 s", async (t) => {
  const { io, root, waitedMs } = machine(t);
  startQueue(root);
  t.match(await look(io), { found: "datasource/none" });
  t.equal(waitedMs(), 5_000);
});

t.test("nobody waits where no disk could make a difference", async (t) => {
  const seeded = machine(t);
  startQueue(seeded.root);
  addSeedDirectory(seeded.root, files("i-1"));
  t.same(await look(seeded.io), { found: "i-1", looks: 1 }, "a seed is there");
  const other = machine(t);
  startQueue(other.root);
  t.same(await look(other.io, ["Ec2"]), { found: "datasource/none", looks: 1 });
  const container = fakeIo(path.join(t.testdir(), "container"));
  t.same(await look(container), { found: "datasource/none", looks: 1 }, "no udev, no events");
  for (const { waitedMs } of [seeded, other]) t.equal(waitedMs(), 0);
  t.equal(container.clock.monotonicMs(), 0);
});

t.test("a datasource that only firmware names has its seed on a disk", tools, async (t) => {
  const { io, root } = machine(t, (root) => ({
    300: () => addDisk(root, "vdb", { image: seedOf(root) }),
  }));
  startQueue(root);
  setKernelCommandLine(root, "ds=nocloud");
  t.match(await look(io), { found: "i-late" });
  const named = machine(t);
  setKernelCommandLine(named.root, "ds=nocloud;i=i-named");
  t.match(await look(named.io), { found: "i-named" }, "or nowhere");
  t.equal(named.waitedMs(), 200);
  const network = Buffer.from("version: 2\nethernets: { lan: { dhcp4: true } }\n");
  const line = `ds=nocloud;i=i-named network-config=${network.toString("base64")}`;
  setKernelCommandLine(named.root, line);
  t.match(await look(named.io), { found: "i-named" });
  t.equal(named.waitedMs(), 400, "a network that others say is no seed");
});

t.test("a seed that is there and broken is told at once", async (t) => {
  const { io, root, waitedMs } = machine(t);
  startQueue(root);
  addSeedDirectory(root, { ...files("i-1"), "meta-data": "[" });
  t.match(await look(io), { found: "datasource/malformed", looks: 1 });
  t.equal(waitedMs(), 0);
});
