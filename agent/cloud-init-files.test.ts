import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Finding } from "#core/finding.ts";
import { writeCloudInitResult } from "./cloud-init-files.ts";
import type { Instance } from "./datasources/datasource.ts";
import { writeInstanceData } from "./instance-data.ts";
import type { Outcome } from "./outcome.ts";

const instance: Instance = {
  v: 1,
  datasource: {
    name: "Ec2",
    place: "http://169.254.169.254",
    identity: "Ec2",
    removable: false,
    evidence: [],
  },
  instanceId: "i-1",
  hostname: "node",
  publicKeys: ["ssh-ed25519 A"],
  metaData: { region: "eu-west-1" },
  ...{ userData: null, vendorData: null, networkConfig: null },
};

const outcome: Outcome = {
  ...{ v: 1, outcome: "committed", degraded: false, message: "it is", bootId: "b" },
  ...{ instanceId: "i-1", datasource: "Ec2", profile: null, confidence: null, generation: 1 },
  ...{ toplevel: null, sourcesDigest: null, verdict: null, findings: [], fault: null },
  ...{ restart: false, bootProved: null, lastTrial: null, triedAgainAt: null, stages: [] },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:02.500Z" },
};
const finished = Date.parse("2026-01-01T00:00:02.500Z") / 1000;
const datasource = "DataSourceEc2 [http://169.254.169.254]";

const about = { document: "user-data", path: "key", line: 3, column: 1, hint: null } as const;
const lost: Finding = {
  ...{ ...about, level: "warning", code: "cloud-config/unsupported-key", message: "left out" },
};
const told: Finding = { ...lost, level: "note" };

/** What the firmware of an instance of EC2 says. */
const amazon = {
  sys: { class: { dmi: { id: { product_uuid: "ec2a0e4f-1", sys_vendor: "Amazon EC2" } } } },
};

type FakeIo = ReturnType<typeof fakeIo>;
const json = (io: FakeIo, path: string): unknown => JSON.parse(io.files.readText(path) ?? "null");

t.test("who asks cloud-init finds the instance, and waits until the boot has ended", (t) => {
  const io = fakeIo(t.testdir(amazon));
  writeInstanceData(io, instance);
  t.match(json(io, "/run/cloud-init/status.json"), {
    v1: { datasource, stage: "modules-config", init: { errors: [] } },
  });
  const data = { v1: { cloud_id: "aws", instance_id: "i-1", region: "eu-west-1" } };
  t.match(json(io, "/run/cloud-init/instance-data.json"), { ...data, sensitive_keys: [] });
  t.match(json(io, "/run/cloud-init/instance-data-sensitive.json"), data);
  t.equal(io.files.stat("/run/cloud-init/instance-data-sensitive.json")?.mode, 0o600);
  t.equal(io.files.readText("/run/cloud-init/cloud-id"), "aws\n");
  t.equal(io.files.readText("/run/cloud-init/cloud-id-aws"), "aws\n");
  t.equal(io.files.readText("/var/lib/cloud/instance/datasource"), `${datasource}\n`);
  t.equal(io.files.readText("/var/lib/cloud/data/instance-id"), "i-1\n");
  const ends = ["/run/cloud-init/result.json", "/var/lib/cloud/instance/boot-finished"];
  for (const file of ends) t.equal(io.files.stat(file), undefined, file);

  writeCloudInitResult(io, { ...outcome, outcome: "rebooting" });
  for (const file of ends) t.equal(io.files.stat(file), undefined, `${file}: a restart is no end`);

  writeCloudInitResult(io, outcome);
  for (const path of ["/run/cloud-init", "/var/lib/cloud/data"]) {
    t.same(json(io, `${path}/result.json`), { v1: { datasource, errors: [] } });
    t.match(json(io, `${path}/status.json`), {
      v1: { datasource, stage: null, "modules-final": { finished, errors: [] } },
    });
  }
  t.equal(io.files.readText("/var/lib/cloud/instance/boot-finished"), `${outcome.finishedAt}\n`);

  writeInstanceData(io, instance);
  t.equal(io.files.stat("/var/lib/cloud/instance/boot-finished"), undefined, "the next boot");
  writeInstanceData(io, { ...instance, instanceId: "../i/2" });
  t.equal(io.files.readLink("/var/lib/cloud/instance"), "/var/lib/cloud/instances/.._i_2");
  t.end();
});

t.test("what went wrong is an error, what was left out can be recovered from", (t) => {
  const ends: readonly [Partial<Outcome>, errors: readonly string[], recoverable: object][] = [
    [{ degraded: true }, [], { WARNING: ["it is"] }],
    [
      { degraded: true, findings: [lost, told] },
      [],
      { WARNING: [/^user-data:3:1 warning key: left out/] },
    ],
    [{ outcome: "rolled-back" }, ["it is"], {}],
    [{ outcome: "failed", datasource: null, instanceId: null }, ["it is"], {}],
  ];
  for (const [end, errors, recoverable] of ends) {
    const io = fakeIo(t.testdir());
    writeCloudInitResult(io, { ...outcome, ...end });
    const named = end.datasource === null ? null : "DataSourceEc2";
    t.same(json(io, "/run/cloud-init/result.json"), { v1: { datasource: named, errors } });
    t.match(json(io, "/run/cloud-init/status.json"), {
      v1: { "modules-final": { errors, recoverable_errors: recoverable } },
    });
  }
  const io = fakeIo(t.testdir());
  writeCloudInitResult(io, { ...outcome, outcome: "disabled" });
  t.strictSame(io.files.list("/run"), [], "who is not there says nothing");
  t.end();
});

t.test("a datasource of our own is called like a class too", (t) => {
  const ours = {
    ...instance.datasource,
    name: "credentials",
    place: "credential firstlight.seed (qemu)",
  };
  const io = fakeIo(t.testdir());
  writeInstanceData(io, { ...instance, datasource: ours });
  const datasource = "DataSourceCredentials [credential firstlight.seed (qemu)]";
  t.match(json(io, "/run/cloud-init/status.json"), { v1: { datasource } });
  t.end();
});

t.test("nothing of a cloud-init that is at work is replaced", (t) => {
  const theirs = JSON.stringify({ v1: { datasource: "DataSourceEc2Local", stage: "init" } });
  const asFile = { run: { "cloud-init": { "status.json": theirs } } };
  const asLink = {
    run: { "cloud-init": { "status.json": t.fixture("symlink", "../../var/lib/cloud/data/s") } },
  };
  for (const files of [asFile, asLink]) {
    const io = fakeIo(t.testdir(files));
    writeInstanceData(io, instance);
    writeCloudInitResult(io, outcome);
    t.strictSame(io.files.list("/run/cloud-init"), ["status.json"]);
    t.strictSame(io.files.list("/var/lib/cloud"), []);
  }
  t.end();
});
