import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { createLog, type LogRecord, silentLog } from "#core/log.ts";
import { clouds } from "./clouds/table.ts";
import { makeContent } from "./content.ts";
import type { Datasource } from "./datasource.ts";
import { discover, type PinnedDatasource } from "./discover.ts";
import { addDisk, addSeedDirectory, setKernelCommandLine } from "./fake-machine.ts";
import { datasources as known } from "./table.ts";

const seed = { "meta-data": "instance-id: i-1\n", "user-data": "#cloud-config\n" };

/** A datasource that is found, is not, or is broken. */
function fake(name: string, state: "found" | "absent" | "broken"): Datasource {
  return {
    name,
    needs: "nothing",
    detect(_io, observe = () => {}) {
      observe(`${name} was looked at`);
      if (state === "broken") throw new Fault("datasource/malformed", `${name}: broken`);
      if (state === "absent") return undefined;
      return {
        place: `place of ${name}`,
        identity: name,
        removable: false,
        evidence: [`${name} is here`],
      };
    },
    async read(_io, { place, identity, removable, evidence }) {
      const metaData = { value: { "instance-id": name }, findings: [], locate: () => undefined };
      const datasource = { name, place, identity, removable, evidence };
      return makeContent({
        datasource,
        metaData,
        documents: {},
        defaultInstanceId: "x",
        findings: [],
      });
    },
  };
}

/** What must have been found. */
function detected<T>(detection: T | undefined): T {
  if (detection === undefined) throw new Error("not detected");
  return detection;
}

t.test("the datasource of a machine is found and read", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, seed);
  const records: LogRecord[] = [];
  const io = fakeIo(root);
  const log = createLog(io.clock, (record) => records.push(record));
  const found = await discover(io, { datasources: undefined, log });
  t.match(found, { kind: "found", content: { instance: { instanceId: "i-1" }, findings: [] } });
  t.strictSame(found.attempts.slice(0, 3), [
    { name: "credentials", result: "absent", place: null, evidence: [], ms: 0 },
    {
      name: "NoCloud",
      result: "used",
      place: "seed directory /var/lib/cloud/seed/nocloud",
      evidence: ["/var/lib/cloud/seed/nocloud: meta-data, user-data"],
      ms: 0,
    },
    { name: "ConfigDrive", result: "absent", place: null, evidence: [], ms: 0 },
  ]);
  t.strictSame(
    new Set(records.map(({ level, event }) => `${level} ${event}`)),
    new Set(["debug discover.tried", "info discover.found"]),
  );
  t.strictSame(io.effects, [], "nothing was changed");
});

t.test("nothing found is a fault that says what was looked at", async (t) => {
  const io = fakeIo(t.testdir());
  await t.rejects(discover(io, { datasources: undefined, log: silentLog }), {
    code: "datasource/none",
    message:
      /^no datasource: looked for credentials, NoCloud, ConfigDrive, .*Ec2.* \(nothing of it was found\)$/,
  });
  await t.rejects(discover(io, { datasources: [], log: silentLog }), { code: "datasource/none" });
});

t.test("each disk is opened once, however many datasources look at it", async (t) => {
  const root = t.testdir();
  for (const disk of ["vda", "vdb"]) addDisk(root, disk);
  const io = fakeIo(root);
  const calls: string[] = [];
  const open: Files["open"] = (file, options) => {
    calls.push(`open ${file}`);
    if (file === "/dev/vdb") throw new Fault("io/read-failed", `${file}: no medium`);
    const access = io.files.open(file, options);
    const close = () => {
      calls.push(`close ${file}`);
      access.close();
    };
    const read = (offset: number, length: number) => {
      calls.push(`read ${file} ${offset}`);
      return access.read(offset, length);
    };
    return { ...access, read, close };
  };
  const counted = { ...io, files: { ...io.files, open } };
  const look = discover(counted, { datasources: undefined, log: silentLog });
  await t.rejects(look, { code: "datasource/none" });
  t.same(
    calls.filter((call) => !call.startsWith("read")),
    ["open /dev/vdb", "open /dev/vda", "close /dev/vda"],
  );
  const reads = calls.filter((call) => call.startsWith("read"));
  t.ok(reads.length > 0);
  t.equal(new Set(reads).size, reads.length, "no sector is read twice");
});

t.test("each file of the kernel is read once, however many clouds are known by it", async (t) => {
  const io = fakeIo(t.testdir({ sys: { class: { dmi: { id: { sys_vendor: "QEMU\n" } } } } }));
  const calls: string[] = [];
  const counted = {
    ...io.files,
    read(file: string, options?: { readonly maxBytes?: number }) {
      calls.push(`read ${file} ${options?.maxBytes}`);
      return io.files.read(file, options);
    },
    list(file: string) {
      calls.push(`list ${file}`);
      return io.files.list(file);
    },
    stat(file: string) {
      calls.push(`stat ${file}`);
      return io.files.stat(file);
    },
  };
  const look = discover({ ...io, files: counted }, { datasources: undefined, log: silentLog });
  await t.rejects(look, { code: "datasource/none" });
  const ofKernel = calls.filter((call) => /^[a-z]+ \/(?:sys|dev)\//.test(call));
  t.ok(ofKernel.some((call) => call.startsWith("read /sys/class/dmi/id/sys_vendor ")));
  t.strictSame(ofKernel, [...new Set(ofKernel)]);
});

t.test("every cloud that can be asked is in the table", async (t) => {
  const names = known.map(({ name }) => name);
  for (const { name } of clouds) t.ok(names.includes(name), name);
  t.equal(new Set(names).size, names.length);
});

t.test("the settings may name each of them", async (t) => {
  const schema = readFileSync(path.join(import.meta.dirname, "../settings.schema.json"), "utf8");
  t.strictSame(
    JSON.parse(schema).properties.datasources.items.enum,
    known.map(({ name }) => name),
  );
});

t.test("the page of datasources names all of them, in order", async (t) => {
  const page = readFileSync(path.join(import.meta.dirname, "../../docs/datasources.md"), "utf8");
  const [table = ""] = page.split("## Who asks");
  const named = [...table.matchAll(/^\| (\w+) \| (?!told by|---)/gm)].map(([, name]) => name);
  t.strictSame(
    named,
    known.map(({ name }) => name),
  );
});

t.test("the first in order is read, the others are named", async (t) => {
  const table = [fake("A", "absent"), fake("B", "found"), fake("C", "found"), fake("D", "broken")];
  const io = fakeIo(t.testdir());
  const first = await discover(io, { datasources: undefined, log: silentLog, table });
  t.match(first, { content: { instance: { instanceId: "B" } } });
  t.strictSame(
    first.attempts.map(({ name, result }) => `${name} ${result}`),
    ["A absent", "B used", "C passed", "D broken"],
  );
  t.match(first.kind === "found" && first.content.findings, [
    {
      document: "C",
      level: "warning",
      code: "datasource/several",
      message: "found at place of C, not used: B comes first",
    },
    {
      document: "D",
      level: "warning",
      code: "datasource/unusable",
      message: "passed over: D: broken",
    },
  ]);
  const other = await discover(io, { datasources: ["C", "B"], log: silentLog, table });
  t.match(other, {
    content: {
      instance: { instanceId: "C" },
      findings: [{ code: "datasource/several" }],
    },
  });
});

t.test("what a node is pinned to comes before what could not change it", async (t) => {
  const table = [fake("A", "found"), fake("B", "broken"), fake("C", "found"), fake("D", "found")];
  const look = async (pinned: Partial<PinnedDatasource>) => {
    const own = { datasource: "C", identity: "C", yieldsTo: () => false, ...pinned };
    const found = await discover(fakeIo(t.testdir()), {
      ...{ datasources: undefined, log: silentLog, table, pinned: own },
    });
    if (found.kind !== "found") throw new Error("expected a datasource");
    const { instance, findings } = found.content;
    return { used: instance.instanceId, findings };
  };
  t.match(await look({}), {
    used: "C",
    findings: [
      { document: "A", level: "note", message: /not used: C is what this node is pinned to$/ },
      { document: "B", level: "warning", code: "datasource/unusable" },
      { document: "D", level: "note" },
    ],
  });
  t.match(await look({ yieldsTo: () => true }), { used: "A" }, "where policy lets the other in");
  t.match(await look({ identity: "another C" }), { used: "A" }, "another one of the same kind");
  t.match(await look({ datasource: "gone" }), { used: "A" }, "one that is gone");
});

t.test("nothing steps in for a datasource that is there and broken", async (t) => {
  const unread: Datasource = {
    ...fake("A", "found"),
    read: async () => {
      throw new Fault("datasource/malformed", "A: broken");
    },
  };
  for (const first of [fake("A", "broken"), unread]) {
    const named: string[] = [];
    const look = discover(fakeIo(t.testdir()), {
      ...{ datasources: undefined, log: silentLog, table: [first, fake("B", "found")] },
      broken: (name) => named.push(name),
    });
    await t.rejects(look, { code: "datasource/malformed", message: "A: broken" });
    t.same(named, ["A"]);
  }
});

t.test(
  "what files leave open is asked in its turn, and is absent where it is not there",
  async (t) => {
    const open = (
      name: string,
      code?: "datasource/none" | "datasource/unreachable",
    ): Datasource => {
      const found = fake(name, "found");
      return {
        ...found,
        detect: (io, observe) => ({ ...detected(found.detect(io, observe)), tentative: true }),
        read(io, detection, tools) {
          if (code !== undefined) throw new Fault(code, `${name} says nothing`);
          return found.read(io, detection, tools);
        },
      };
    };
    const io = fakeIo(t.testdir());
    const look = (...table: readonly Datasource[]) =>
      discover(io, { datasources: undefined, log: silentLog, table });
    const found = await look(
      open("A", "datasource/none"),
      open("B"),
      open("C"),
      fake("D", "found"),
    );
    t.strictSame(
      found.attempts.map(({ name, result }) => `${name} ${result}`),
      ["A absent", "B used", "C passed", "D passed"],
    );
    t.same(found.attempts[0]?.evidence, ["A is here", "A says nothing"]);
    t.match(found.kind === "found" && found.content.findings.map(({ document }) => document), [
      "D",
    ]);
    await t.rejects(look(open("A", "datasource/none")), {
      code: "datasource/none",
      message: "no datasource: looked for A (A is here; A says nothing)",
    });
    await t.rejects(look(open("A", "datasource/unreachable"), fake("B", "found")), {
      code: "datasource/unreachable",
    });
  },
);

t.test("the owner can switch it off", async (t) => {
  const switches: Record<string, (root: string) => void> = {
    "/etc/firstlight/disabled": (root) => fakeIo(root).files.write("/etc/firstlight/disabled", ""),
    "/etc/cloud/cloud-init.disabled": (root) =>
      fakeIo(root).files.write("/etc/cloud/cloud-init.disabled", ""),
    "kernel command line: firstlight=disabled": (root) =>
      setKernelCommandLine(root, "quiet firstlight=disabled ro"),
    "kernel command line: cloud-init=disabled": (root) =>
      setKernelCommandLine(root, "cloud-init=disabled"),
  };
  for (const [by, turn] of Object.entries(switches)) {
    const root = path.join(t.testdir(), "root");
    addSeedDirectory(root, seed);
    turn(root);
    const options = { datasources: undefined, log: silentLog };
    t.strictSame(await discover(fakeIo(root), options), { kind: "disabled", by, attempts: [] });
  }
  const root = t.testdir();
  addSeedDirectory(root, seed);
  setKernelCommandLine(root, "cloud-init=enabled xfirstlight=disabled");
  t.match(await discover(fakeIo(root), { datasources: undefined, log: silentLog }), {
    kind: "found",
  });
});

t.test("names in the table are unique", async (t) => {
  const names = known.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
});
