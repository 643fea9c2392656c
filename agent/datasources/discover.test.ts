import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { createLog, type LogRecord, silentLog } from "#core/log.ts";
import { makeContent } from "./content.ts";
import type { Datasource } from "./datasource.ts";
import { discover } from "./discover.ts";
import { addSeedDirectory, setKernelCommandLine } from "./fake-machine.ts";
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

t.test("the datasource of a machine is found and read", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, seed);
  const records: LogRecord[] = [];
  const io = fakeIo(root);
  const log = createLog(io.clock, (record) => records.push(record));
  const found = await discover(io, { datasources: undefined, log });
  t.match(found, { kind: "found", content: { instance: { instanceId: "i-1" }, findings: [] } });
  t.strictSame(found.attempts.slice(0, 3), [
    { name: "credentials", result: "absent", place: null, evidence: [] },
    {
      name: "NoCloud",
      result: "used",
      place: "seed directory /var/lib/cloud/seed/nocloud",
      evidence: ["/var/lib/cloud/seed/nocloud: meta-data, user-data"],
    },
    { name: "ConfigDrive", result: "absent", place: null, evidence: [] },
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
  await t.rejects(discover(io, { datasources: ["NoCluod"], log: silentLog }), {
    code: "datasource/none",
    message: "no datasource: looked for NoCluod (no such datasource)",
  });
  await t.rejects(discover(io, { datasources: [], log: silentLog }), { code: "datasource/none" });
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
  const other = await discover(io, { datasources: ["X", "C", "B"], log: silentLog, table });
  t.match(other, {
    content: {
      instance: { instanceId: "C" },
      findings: [{ code: "datasource/unknown" }, { code: "datasource/several" }],
    },
  });
});

t.test("nothing steps in for a datasource that is there and broken", async (t) => {
  const table = [fake("A", "broken"), fake("B", "found")];
  await t.rejects(
    discover(fakeIo(t.testdir()), { datasources: undefined, log: silentLog, table }),
    {
      code: "datasource/malformed",
      message: "A: broken",
    },
  );
});

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
