import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import type { Code } from "#core/codes.ts";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { hostClock } from "#core/host-io.ts";
import { createLog, silentLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { generationRecord } from "#provisioner/render/generation-record.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import {
  bootstrap,
  bootstrapLate,
  bootstrapLinkLocal,
  bootstrapNetworkByIp,
  endBootstrap,
} from "./bootstrap.ts";
import type { Instance } from "./datasources/datasource.ts";
import { sourceFetcher } from "./fetch-sources.ts";
import { readInstanceData, writeInstanceData } from "./instance-data.ts";
import { exitCodeOf, exitCodeOfFault, type Outcome, type OutcomeKind } from "./outcome.ts";
import {
  digestInputs,
  digestUnsigned,
  digestWhole,
  pinnedInstanceFile,
  readPinnedInstance,
  type Unused,
  writePinnedInstance,
} from "./pinned-instance.ts";
import { linkSettingsVersion, loadLinkSettings, reportSettingsFile } from "./report-settings.ts";
import { readSettings } from "./settings.ts";
import { readResult, readStatus, statusWriter, writeResult, writeStatus } from "./status.ts";
import { writeReportSettings } from "./write-report-settings.ts";

const instance: Instance = {
  v: 1,
  datasource: {
    name: "NoCloud",
    place: "seed",
    identity: "seed:/x",
    removable: false,
    evidence: ["one"],
  },
  instanceId: "i-1",
  hostname: "node",
  publicKeys: ["ssh-ed25519 AAAA"],
  metaData: { "instance-id": "i-1" },
  userData: { secretRef: "user-data" },
  vendorData: null,
  networkConfig: null,
};
const secrets = (text: string) =>
  new Map([["user-data", new Secret<Uint8Array>(Buffer.from(text))]]);

t.test(
  "what nobody signed: rights and place, each by itself, without the signed text",
  async (t) => {
    const io = fakeIo(t.testdir());
    const secret = (text: string) => new Secret<Uint8Array>(Buffer.from(text));
    const networked = {
      ...instance,
      networkConfig: { secretRef: "network-config" },
      vendorData: { secretRef: "vendor-data" },
      secrets: { token: { secretRef: "secret.token" } },
    };
    const digest = (
      change: Partial<Instance>,
      bag: Readonly<Record<string, string>> = {},
      {
        fetched = {},
        unused = {},
        signed = [],
        launchIndex,
      }: {
        fetched?: Readonly<Record<string, string>>;
        unused?: Partial<Unused>;
        signed?: readonly string[];
        launchIndex?: number;
      } = {},
    ) =>
      digestUnsigned(
        io,
        {
          instance: { ...networked, ...change },
          secrets: new Map(
            Object.entries({
              ...{
                "user-data": "a",
                "vendor-data": "a",
                "network-config": "a",
                "secret.token": "a",
              },
              ...bag,
            }).map(([name, text]) => [name, secret(text)]),
          ),
          fetched: new Map(
            Object.entries(fetched).map(([name, text]) => [name, Buffer.from(text)]),
          ),
          launchIndex,
        },
        {
          unused: { hostname: false, publicKeys: false, vendorData: false, ...unused },
          signedAddresses: new Set(signed),
        },
      );
    const asked = { "https://192.0.2.1/x": "one", "data:,x": "x" };
    const whole = digest({});
    const same = [
      digest({ instanceId: "i-2", metaData: {}, userData: null }),
      digest({ datasource: { ...instance.datasource, name: "usb", identity: "usb:1" } }),
      digest({}, { "user-data": "b" }),
      digest({}, {}, { fetched: asked, signed: Object.keys(asked) }),
    ];
    for (const each of same) t.same(each, whole);
    const { rights, place } = whole;
    const otherRights = [
      digest({ publicKeys: ["ssh-ed25519 BBBB"] }),
      digest({}, { "secret.token": "b" }),
      digest({}, { "vendor-data": "b" }),
      digest({ vendorData: null }),
      digest({ vendorData2: { secretRef: "vendor-data2" } }, { "vendor-data2": "b" }),
      digest({}, {}, { unused: { vendorData: true } }),
      digest({}, {}, { fetched: { "http://192.0.2.1/x": "one" } }),
      digest({}, {}, { fetched: { "http://192.0.2.1/x": "one" }, signed: ["http://192.0.2.1/x"] }),
      digest({}, {}, { fetched: asked, signed: ["data:,x"] }),
      digest({}, {}, { launchIndex: 0 }),
      digest({}, {}, { unused: { publicKeys: true } }),
    ];
    for (const each of otherRights) {
      t.not(each.rights, rights);
      t.equal(each.place, place);
    }
    const otherPlaces = [
      digest({ hostname: "other" }),
      digest({}, { "network-config": "b" }),
      digest({}, {}, { unused: { hostname: true } }),
    ];
    for (const each of otherPlaces) {
      t.equal(each.rights, rights);
      t.not(each.place, place);
    }
    const none = {
      ...{ publicKeys: [], networkConfig: null, secrets: {}, hostname: null, vendorData: null },
    };
    t.same(digest(none), { rights: null, place: null });
    const unused = { hostname: true, publicKeys: true, vendorData: true };
    const left = { networkConfig: null, secrets: {} };
    t.same(digest(left, {}, { unused }), { rights: null, place: null });
  },
);

t.test("the digest of the inputs changes with every input and with nothing else", async (t) => {
  const io = fakeIo(t.testdir());
  const fetched = new Map([["http://192.0.2.1/x", Buffer.from("one")]]);
  const inputs = { instance, secrets: secrets("a"), fetched };
  const digest = digestInputs(io, inputs);
  const sameButForWords = {
    ...instance,
    datasource: { ...instance.datasource, evidence: ["two"], place: "other words" },
  };
  t.equal(digestInputs(io, { ...inputs, instance: sameButForWords }), digest);
  const [metaData, withPublicAddress] = ["192.0.2.1", "192.0.2.2"].map((address) => ({
    ...{
      "instance-id": "i-1",
      "public-ipv4": address,
      admin_pass: { secretRef: "meta-data.pass" },
    },
  }));
  const said = { ...instance, metaData: metaData ?? null };
  const pass = (text: string) =>
    new Map([...secrets("a"), ["meta-data.pass", new Secret<Uint8Array>(Buffer.from(text))]]);
  t.equal(
    digestInputs(io, { ...inputs, instance: said, secrets: pass("x") }),
    digestInputs(io, {
      ...inputs,
      instance: { ...said, metaData: withPublicAddress ?? null },
      secrets: pass("y"),
    }),
    "a cloud's own word about a machine changes by itself",
  );
  t.not(
    digestWhole(io, { ...inputs, instance: said }),
    digestWhole(io, { ...inputs, instance: { ...said, metaData: withPublicAddress ?? null } }),
    "the whole is another digest",
  );
  const named = { ...said, secrets: { pass: { secretRef: "meta-data.pass" } } };
  t.not(
    digestInputs(io, { ...inputs, instance: named, secrets: pass("x") }),
    digestInputs(io, { ...inputs, instance: named, secrets: pass("y") }),
    "what a document may use counts",
  );
  t.equal(digestInputs(io, { ...inputs, launchIndex: null }), digest);
  t.not(digestInputs(io, { ...inputs, launchIndex: 0 }), digest, "parts are chosen by it");
  t.not(digestInputs(io, { ...inputs, secrets: secrets("b") }), digest);
  for (const name of ["vendor-data", "vendor-data2"]) {
    const vendor = new Map([...secrets("a"), [name, new Secret<Uint8Array>(Buffer.from("v"))]]);
    t.not(digestInputs(io, { ...inputs, secrets: vendor }), digest, name);
  }
  for (const change of [{ hostname: "other" }, { publicKeys: [] }]) {
    t.not(digestInputs(io, { ...inputs, instance: { ...instance, ...change } }), digest);
  }
  t.not(digestInputs(io, { ...inputs, instance: { ...instance, instanceId: "i-2" } }), digest);
  const changed = new Map([["http://192.0.2.1/x", Buffer.from("two")]]);
  t.not(digestInputs(io, { ...inputs, fetched: changed }), digest);
  t.not(digestInputs(io, { ...inputs, fetched: new Map() }), digest);
  const other = fakeIo(t.testdir());
  other.random.uuid(); // another machine's chance
  t.not(digestInputs(other, inputs), digest);
});

t.test(
  "a pinned instance is read as written, and a damaged one is never taken for a first boot",
  async (t) => {
    const io = fakeIo(t.testdir());
    t.equal(readPinnedInstance(io.files), undefined);
    const pinned = {
      v: 1,
      datasource: "NoCloud",
      identity: "x",
      instanceId: "i",
      inputsDigest: "d",
      changes: null,
      at: "now",
    } as const;
    writePinnedInstance(io, pinned);
    t.strictSame(readPinnedInstance(io.files), pinned);
    for (const text of ["", "{", "null", "[]", '{"v":2}', '{"v":1,"datasource":"x"}']) {
      io.files.write(pinnedInstanceFile, text);
      t.throws(() => readPinnedInstance(io.files), { code: "policy/pin-unreadable" }, text);
    }
  },
);

t.test("settings that do not fit are refused with every fault named", async (t) => {
  const good = fakeIo(
    t.testdir({ etc: { firstlight: { "settings.json": '{"policy":{"changes":"hold"}}' } } }),
  );
  t.strictSame(await readSettings(good.files), { policy: { changes: "hold" } });
  t.strictSame(await readSettings(fakeIo(t.testdir({})).files), {});
  const bad = fakeIo(
    t.testdir({
      etc: { firstlight: { "settings.json": '{"policy":{"changes":"maybe"},"wrong":1}' } },
    }),
  );
  await t.rejects(readSettings(bad.files), { code: "settings/invalid", findings: { length: 2 } });
  const misspelt = fakeIo(
    t.testdir({
      etc: {
        firstlight: { "settings.json": '{\n  "policy": { "chnges": "hold" },\n  "zzz": 1\n}\n' },
      },
    }),
  );
  await t.rejects(readSettings(misspelt.files), {
    code: "settings/invalid",
    message: /settings\.json:2:\d+ policy\.chnges: no such key \(and 1 more\)/,
    findings: [
      { path: "policy.chnges", line: 2, hint: "did you mean `changes`?" },
      {
        path: "zzz",
        line: 3,
        hint: /^known are datasources, networkSources, metadata, profiles, policy, /,
      },
    ],
  });
  const formless = fakeIo(
    t.testdir({ etc: { firstlight: { "settings.json": '{"defaultUser":"Not A Name"}' } } }),
  );
  await t.rejects(readSettings(formless.files), {
    code: "settings/invalid",
    findings: [{ path: "defaultUser", message: /^does not have the form/, hint: /settings\.md/ }],
  });
  const names = '{"datasources":["NoCloud","nocloud"],"policy":{"changes":"hodl"}}';
  const lowerCase = fakeIo(t.testdir({ etc: { firstlight: { "settings.json": names } } }));
  await t.rejects(readSettings(lowerCase.files), {
    code: "settings/invalid",
    findings: [
      {
        path: "datasources.1",
        line: 1,
        message: /^must be .* or /,
        hint: "did you mean `NoCloud`?",
      },
      {
        ...{ path: "policy.changes", line: 1, hint: "did you mean `hold`?" },
        message: "must be apply, hold or require-signature",
      },
    ],
  });
  const torn = fakeIo(t.testdir({ etc: { firstlight: { "settings.json": "{" } } }));
  await t.rejects(readSettings(torn.files), { code: "settings/invalid" });
});

const outcome = (kind: OutcomeKind, degraded = false) =>
  ({ v: 1, outcome: kind, degraded, message: "m", findings: [] }) as unknown as Outcome;

t.test("each outcome has its exit code", async (t) => {
  const codes: readonly (readonly [OutcomeKind, boolean, number])[] = [
    ["unchanged", false, 0],
    ["committed", false, 0],
    ["committed", true, 2],
    ["unchanged", true, 2],
    ["disabled", false, 0],
    ["rolled-back", true, 3],
    ["invalid", true, 4],
    ["held", false, 77],
    ["refused", false, 77],
    ["failed", true, 1],
  ];
  for (const [kind, degraded, code] of codes)
    t.equal(exitCodeOf({ outcome: kind, degraded, fault: null }), code, kind);
});

t.test("a failure has the exit code of its fault", async (t) => {
  const codes: readonly (readonly [Code, number])[] = [
    ["system/build-failed", 1],
    ["policy/pin-unreadable", 1],
    ["policy/held", 77],
    ["system/locked", 75],
    ["cli/interrupted", 75],
    ["settings/invalid", 4],
    ["datasource/malformed", 4],
    ["datasource/none", 75],
  ];
  for (const [code, exitCode] of codes) {
    const fault = { code, message: "", hint: null, causes: [] };
    t.equal(exitCodeOfFault(fault), exitCode, code);
    t.equal(exitCodeOf({ outcome: "failed", degraded: false, fault }), exitCode, code);
  }
});

t.test(
  "status and result are files that everybody may read, and torn ones count as absent",
  async (t) => {
    const io = fakeIo(t.testdir());
    t.equal(readStatus(io.files), undefined);
    const writer = statusWriter(io);
    writeStatus(io, writer, { state: "running", stage: "build" });
    t.match(readStatus(io.files), { state: "running", stage: "build", bootId: "unknown" });
    writeResult(io, writer, outcome("rolled-back"));
    t.match(readResult(io.files), { outcome: "rolled-back", exitCode: 3 });
    t.equal(readStatus(io.files)?.state, "done");
    for (const torn of ['{"v":1', '{"v":1}', '{"v":1,"outcome":"committed","fault":{}}']) {
      io.files.write("/run/firstlight/result.json", torn);
      t.equal(readResult(io.files), undefined, torn);
      io.files.write("/run/firstlight/status.json", torn);
      t.equal(readStatus(io.files), undefined, torn);
    }
  },
);

t.test("a boot that is under way is not hidden by another that ends beside it", async (t) => {
  const io = fakeIo(t.testdir());
  const started = (pid: number) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  };
  const other = (pid: number, since: string | null) => ({
    ...statusWriter(io),
    process: { pid, started: since },
  });
  const atWork = other(process.ppid, started(process.ppid));
  writeStatus(io, atWork, { state: "running", stage: "build" });
  writeStatus(io, statusWriter(io), { state: "running", stage: "recover" });
  writeResult(io, statusWriter(io), outcome("rolled-back"));
  t.match(readStatus(io.files), { state: "running", stage: "build", process: atWork.process });
  t.equal(readResult(io.files), undefined);
  writeStatus(io, atWork, { state: "done", stage: "committed" });
  // One that was killed tells no more, also where its number is another's by now.
  io.files.remove("/run/firstlight/status.json");
  writeStatus(io, other(process.ppid, "1"), { state: "running", stage: "build" });
  writeResult(io, statusWriter(io), outcome("rolled-back"));
  t.match(readResult(io.files), { outcome: "rolled-back" });
});

t.test("instance data has cloud-init's names", async (t) => {
  const io = fakeIo(
    t.testdir({
      etc: { "os-release": 'ID=nixos\nVERSION_ID="25.11"\nVERSION_CODENAME=xantusia\n' },
    }),
  );
  writeInstanceData(io, { ...instance, hostname: "node.example.org" });
  t.match(readInstanceData(io.files), {
    v1: {
      ...{ instance_id: "i-1", "instance-id": "i-1", cloud_name: "unknown", cloud_id: "nocloud" },
      ...{ local_hostname: "node", region: null, distro: "nixos", distro_version: "25.11" },
      ...{ _beta_keys: ["subplatform"], distro_release: "xantusia", python_version: null },
    },
  });
  writeInstanceData(io, { ...instance, hostname: "192.0.2.7" });
  t.match(readInstanceData(io.files), { v1: { local_hostname: "ip-192-0-2-7" } });
  const onCloud = (name: string, region: string): Instance => ({
    ...instance,
    datasource: { ...instance.datasource, name },
    metaData: { region, "availability-zone": `${region}a` },
  });
  const dmi = "/sys/class/dmi/id";
  writeInstanceData(io, onCloud("Ec2", "cn-north-1"));
  t.match(readInstanceData(io.files), { v1: { cloud_name: "unknown", cloud_id: "ec2" } });
  for (const [file, value, cloud] of [
    ["product_serial", "srv-1.gb1.brightbox.com", "brightbox"],
    ["chassis_asset_tag", "1.zstack.io", "zstack"],
    ["sys_vendor", "e24cloud", "e24cloud"],
    ["sys_vendor", "Tilaa", "tilaa"],
    ["product_uuid", "ec2a0e4f-1111-2222-3333-444444444444", "aws"],
  ] as const) {
    io.files.remove(dmi);
    io.files.write(`${dmi}/${file}`, value);
    io.files.write(`${dmi}/bios_version`, "4.11.amazon");
    writeInstanceData(io, onCloud("Ec2", "eu"));
    t.match(readInstanceData(io.files), { v1: { cloud_name: cloud, cloud_id: cloud } });
  }
  for (const [name, region, id, platform = name.toLowerCase()] of [
    ["Ec2", "eu-west-1", "aws"],
    ["Ec2", "cn-north-1", "aws-china"],
    ["Ec2", "us-gov-west-1", "aws-gov"],
    ["Azure", "chinaeast2", "azure-china"],
    ["GCE", "cn-1", "gce"],
    ["SmartOS", "us-east-1", "joyent", "joyent"],
    ["OpenNebula", "x", "opennebula"],
  ] as const) {
    writeInstanceData(io, onCloud(name, region));
    t.match(readInstanceData(io.files), {
      v1: { cloud_id: id, region, availability_zone: `${region}a`, platform },
    });
  }
});

const specified = (spec: Partial<Spec>) => async () =>
  ({ spec: { version: 1, ...spec } }) as Translation;

t.test(
  "the bootstrap layer writes network and keys to /run, until a generation carries them",
  async (t) => {
    const root = t.testdir({
      etc: { passwd: "root:x:0:0::/root:/bin/sh\nops:x:1000:1000::/home/ops:/bin/sh\n" },
    });
    const io = fakeIo(root);
    const resolve = specified({
      network: {
        ethernets: {
          lan: {
            match: { mac: "52:54:00:12:34:56" },
            addresses: ["192.0.2.10/24"],
            routes: [{ to: "default", via: "192.0.2.1" }],
          },
        },
      },
      users: {
        ops: { authorizedKeys: ["ssh-ed25519 OPS"] },
        later: { authorizedKeys: ["ssh-ed25519 LATER"], sudo: ["ALL=(ALL) ALL"] },
        plain: { authorizedKeys: ["ssh-ed25519 PLAIN"] },
      },
    });
    const done = await bootstrap(io, silentLog, resolve);
    t.match(done, { skipped: false, network: ["10-lan.network"] });
    t.match(
      io.files.readText("/run/systemd/network/10-lan.network"),
      /MACAddress=52:54:00:12:34:56[\s\S]*Address=192\.0\.2\.10\/24[\s\S]*Gateway=192\.0\.2\.1/,
    );
    t.equal(io.files.readText("/run/firstlight/authorized_keys/ops"), "ssh-ed25519 OPS\n");
    t.equal(io.files.readText("/run/firstlight/authorized_keys/root"), "ssh-ed25519 LATER\n");
    t.equal(io.files.readText("/run/firstlight/authorized_keys/plain"), undefined);
    endBootstrap(io);
    t.strictSame(io.files.list("/run/systemd/network"), []);
    t.strictSame(io.files.list("/run/firstlight"), [], "and no key opens anything any more");
    writePinnedInstance(io, {
      v: 1,
      datasource: "NoCloud",
      identity: "x",
      instanceId: "i",
      inputsDigest: "d",
      changes: null,
      at: "",
    });
    t.match(
      await bootstrap(io, silentLog, async () => {
        throw new Error("must not be asked");
      }),
      { skipped: true },
    );
  },
);

t.test(
  "the name is the kernel's until the next boot, and one that cannot be set stops nothing",
  async (t) => {
    const running = (programs: Readonly<Record<string, FakeProgram>>) => {
      const fake = fakeIo(t.testdir(), programs);
      return { fake, io: { ...fake, files: { ...fake.files, root: "/" } } };
    };
    const { fake, io } = running({ tee: () => ({}) });
    t.match(await bootstrap(io, silentLog, specified({ hostname: "edge" })), { hostname: "edge" });
    t.match(fake.executed, [{ args: ["/proc/sys/kernel/hostname"], stdin: "edge" }]);
    const without = running({}).io;
    t.match(await bootstrap(without, silentLog, specified({ hostname: "edge" })), {
      hostname: null,
    });
  },
);

const lan = (address: string) =>
  specified({
    network: { ethernets: { lan: { addresses: [address] } } },
    users: { root: { authorizedKeys: ["ssh-ed25519 A"] } },
  });
const lanFile = "/run/systemd/network/10-lan.network";

/** A machine under systemd; a reload of the network gives it a default route `afterMs`. */
function lateMachine(
  t: Test,
  afterMs: number,
  netif: Readonly<Record<string, string>> = { state: "OPER_STATE=off\n" },
) {
  const root = t.testdir({
    etc: { passwd: "root:x:0:0::/root:/bin/sh\n" },
    proc: { net: { route: "Iface Destination\n" } },
    run: { systemd: { system: {}, netif } },
  });
  const fake = fakeIo(root, {
    networkctl: () => ({}),
    ip: () => ({ stdout: JSON.stringify([{ ifname: "lan", link_type: "ether" }]) }),
  });
  const giveRoute = () =>
    fake.files.write("/proc/net/route", "eth0 00000000 01000A0A 0003 0 0 0 00000000 0 0 0\n");
  const { clock } = fake;
  const sleep: typeof clock.sleep = async (ms) => {
    await clock.sleep(ms);
    if (clock.monotonicMs() >= afterMs) giveRoute();
  };
  return { fake, io: { ...fake, clock: { ...clock, sleep } }, giveRoute };
}

t.test("a boot whose seed came late brings up what is not up yet", async (t) => {
  const { fake, io } = lateMachine(t, 1_000);
  await bootstrapLate(io, silentLog, lan("192.0.2.10/24"));
  t.match(io.files.readText(lanFile), /Address=192\.0\.2\.10\/24/);
  t.match(fake.executed, [{ file: "networkctl", args: ["reload"] }]);
  t.equal(io.clock.monotonicMs(), 1_000, "it goes on when there is a way out");
  const before = fake.effects.length;
  await bootstrapLate(io, silentLog, lan("192.0.2.10/24"));
  t.equal(fake.effects.length, before, "once");
  endBootstrap(io);
  t.strictSame(io.files.list("/run/systemd/network"), []);

  const never = lateMachine(t, Number.POSITIVE_INFINITY);
  await bootstrapLate(never.io, silentLog, lan("192.0.2.10/24"));
  t.equal(never.io.clock.monotonicMs(), 15_000, "it does not wait for ever");
});

t.test("where no systemd-networkd reads it, the boot sets the network up by ip", async (t) => {
  const { fake, io, giveRoute } = lateMachine(t, 1_000, {});
  await bootstrap(io, silentLog, lan("192.0.2.10/24"));
  // As dhcpcd has it with an address of the link: a way out, and no router.
  io.files.write("/proc/net/route", "lan 00000000 00000000 0001 0 0 1002002 00000000 0 0 0\n");
  await bootstrapLate(io, silentLog, lan("192.0.2.10/24"));
  const stdin = "link set dev lan up\naddress replace 192.0.2.10/24 dev lan\n";
  t.match(fake.executed, [
    { file: "ip", args: ["-json", "-details", "link"] },
    { file: "ip", args: ["-force", "-batch", "-"], stdin },
  ]);
  giveRoute();
  await bootstrapLate(io, silentLog, lan("192.0.2.10/24"));
  t.equal(fake.executed.length, 2, "once");

  const absent = lateMachine(t, 0, {});
  await bootstrapLate(absent.io, silentLog, specified({ network: { ethernets: { other: {} } } }));
  t.match(
    absent.fake.executed,
    [{ args: ["-json", "-details", "link"] }],
    "no interface of the spec is there",
  );
  t.equal(absent.fake.executed.length, 1);
  t.equal(absent.io.clock.monotonicMs(), 0, "and none is waited for");
});

t.test("a network that the machine itself says is up before its datasource is asked", async (t) => {
  const text = "version: 2\nethernets: { lan: { addresses: [192.0.2.10/24] } }\n";
  const said = { document: "kernel command line: network-config", bytes: Buffer.from(text) };
  const { fake, io, giveRoute } = lateMachine(t, 1_000, {});
  await bootstrapNetworkByIp(io, silentLog, said);
  const stdin = "link set dev lan up\naddress replace 192.0.2.10/24 dev lan\n";
  t.match(fake.executed, [{ args: ["-json", "-details", "link"] }, { file: "ip", stdin }]);
  giveRoute();
  await bootstrapNetworkByIp(io, silentLog, said);
  const disabled = lateMachine(t, 0, {});
  await bootstrapNetworkByIp(disabled.io, silentLog, { ...said, bytes: undefined });
  const byNetworkd = lateMachine(t, 0);
  await bootstrapNetworkByIp(byNetworkd.io, silentLog, said);
  const none = fakeIo(t.testdir({}));
  await bootstrapNetworkByIp(none, silentLog, said);
  t.equal(fake.executed.length, 2, "nothing where there is a way out");
  t.same(
    disabled.fake.executed.filter(({ args }) => args.includes("-batch")),
    [],
  );
  t.same([byNetworkd.fake.executed, none.executed], [[], []], "nor where others do it");
});

t.test("a card takes an address of the link where its cloud leases none", async (t) => {
  const { fake, io } = lateMachine(t, 1_000);
  bootstrapLinkLocal(io, silentLog);
  const file = "90-firstlight-link-local.network";
  t.match(io.files.readText(`/run/systemd/network/${file}`), /\nLinkLocalAddressing=yes\n/);
  await bootstrapLate(io, silentLog, lan("192.0.2.10/24"));
  t.match(fake.executed, [{ file: "networkctl" }], "the boot brings up the rest");
  t.strictSame(io.files.list("/run/systemd/network"), ["10-lan.network", file]);
  endBootstrap(io);
  t.strictSame(io.files.list("/run/systemd/network"), [], "until a generation carries it");
});

t.test("a late seed takes no network away, and does nothing twice", async (t) => {
  const up = lateMachine(t, 0);
  up.giveRoute();
  await bootstrapLate(up.io, silentLog, lan("192.0.2.10/24"));
  t.equal(up.io.files.readText(lanFile), undefined);
  t.equal(up.io.files.readText("/run/firstlight/authorized_keys/root"), "ssh-ed25519 A\n");
  t.strictSame(up.fake.executed, []);

  const early = lateMachine(t, 0);
  await bootstrap(early.io, silentLog, lan("192.0.2.10/24"));
  const nothing = early.fake.effects.length;
  await bootstrapLate(early.io, silentLog, lan("192.0.2.10/24"));
  t.equal(early.fake.effects.length, nothing, "the layer itself was in time");

  const directory = fakeIo(t.testdir({}));
  await bootstrapLate(directory, silentLog, async () => {
    throw new Error("must not be asked");
  });
  t.strictSame(directory.effects, [], "a directory that stands for a machine has no network");
});

t.test("a line break in a key or a name begins no second line", async (t) => {
  const io = fakeIo(t.testdir({ etc: { passwd: "root:x:0:0::/root:/bin/sh\n" } }));
  await bootstrap(
    io,
    silentLog,
    specified({
      users: { root: { authorizedKeys: ["ssh-ed25519 A\nssh-ed25519 B"] } },
      network: { ethernets: { lan: { search: ["a\n[Match]\nName=*"] } } },
    }),
  );
  t.equal(
    io.files.readText("/run/firstlight/authorized_keys/root"),
    "ssh-ed25519 A ssh-ed25519 B\n",
  );
  t.notMatch(io.files.readText("/run/systemd/network/10-lan.network"), /\n\[Match\]\nName=\*/);
});

t.test(
  "where to report: the spec's word before the settings', the password by its credential",
  async (t) => {
    const io = fakeIo(t.testdir());
    const password = {
      name: "mqtt-password",
      file: "mqtt-password@1",
      version: "1",
      encrypted: false,
      bytes: 6,
    };
    io.files.write("/var/lib/firstlight/credentials/mqtt-password@1", "canary", { mode: 0o400 });
    writeReportSettings(io, {
      instanceId: "i-1",
      spec: {
        fleet: "f",
        mqtt: {
          host: "192.0.2.1",
          ca: "PEM",
          tls: true,
          username: "u",
          password: { secretRef: "mqtt-password" },
        },
      },
      settings: { node: "n", mqtt: { host: "192.0.2.99" } },
      credentials: new Map([["mqtt-password", password]]),
    });
    t.notMatch(io.files.readText(reportSettingsFile), /canary|bytes/);
    const settings = { report: { node: "n", mqtt: { host: "192.0.2.99" } } };
    const link = await loadLinkSettings(io, settings);
    t.match(link, {
      host: "192.0.2.1",
      port: 8883,
      username: "u",
      address: { fleet: "f", node: "n" },
      tls: { ca: "PEM" },
    });
    t.equal(link?.password?.reveal(), "canary");
  },
);

t.test("where to report is what the generation that runs says", async (t) => {
  const io = fakeIo(t.testdir());
  const input = { instanceId: "i", settings: undefined, credentials: new Map() };
  writeReportSettings(io, { ...input, spec: { mqtt: { host: "192.0.2.1" } } });
  const runs = (report: object | undefined, release = "one") => {
    const record = generationRecord(
      { spec: { version: 1, update: { release } }, instanceId: "i-9", credentials: new Map() },
      [],
    );
    const text = JSON.stringify({ ...record, report });
    io.files.write("/run/current-system/etc/firstlight/generation.json", text);
  };
  const before = linkSettingsVersion(io.files);
  const spec = { fleet: "f", mqtt: { host: "192.0.2.2", tls: true, ca: "PEM" } };
  runs({ instanceId: "i-9", spec, password: null });
  t.match(await loadLinkSettings(io, {}), {
    ...{ host: "192.0.2.2", port: 8883, tls: { ca: "PEM" } },
    address: { fleet: "f", node: "i-9" },
  });
  const now = linkSettingsVersion(io.files);
  t.not(now, before, "who reports notices it");
  runs({ password: null, spec, instanceId: "i-9" }, "another");
  writeReportSettings(io, { ...input, spec: { mqtt: { host: "192.0.2.9" } } });
  t.equal(linkSettingsVersion(io.files), now, "and nothing of a generation that reports there too");
  runs({ instanceId: "i-9", spec: null, password: null });
  t.equal(await loadLinkSettings(io, {}), undefined, "one that names no broker");
  t.match(await loadLinkSettings(io, { report: { mqtt: { host: "192.0.2.3" } } }), {
    host: "192.0.2.3",
  });
  runs(undefined);
  t.match(await loadLinkSettings(io, {}), { host: "192.0.2.9" }, "one of an older version");
  const settings = { report: { mqtt: { host: "192.0.2.3" } } };
  const version = linkSettingsVersion(io.files);
  const older = {
    v: 1,
    instanceId: "i-8",
    report: { fleet: "old", mqtt: { host: "192.0.2.4", username: "u" } },
    password: { name: "p", file: "p@1", encrypted: false },
  };
  io.files.write("/var/lib/firstlight/credentials/p@1", "canary", { mode: 0o400 });
  io.files.write("/var/lib/firstlight/report/report.json", JSON.stringify(older));
  const then = await loadLinkSettings(io, settings);
  t.match(then, { host: "192.0.2.4", address: { fleet: "old", node: "i-8" } }, "as it did then");
  t.equal(then?.password?.reveal(), "canary");
  t.not(linkSettingsVersion(io.files), version, "who reports notices it");
  writeReportSettings(io, { ...input, spec: { mqtt: { host: "192.0.2.10" } } });
  t.match(
    await loadLinkSettings(io, settings),
    { host: "192.0.2.4" },
    "whatever is accepted since",
  );
  runs({ instanceId: "i-9", spec, password: null });
  t.match(await loadLinkSettings(io, {}), { host: "192.0.2.2" }, "one that says it says it");
  io.files.remove("/run/current-system/etc/firstlight/generation.json");
  t.match(await loadLinkSettings(io, {}), { host: "192.0.2.10" }, "nor another's system");
  io.files.write(reportSettingsFile, JSON.stringify(older));
  await t.rejects(loadLinkSettings(io, {}), { code: "link/settings-invalid", hint: /next boot/ });
});

t.test("a broker that nobody names any more is forgotten", async (t) => {
  const io = fakeIo(t.testdir());
  const input = { instanceId: "i", settings: undefined, credentials: new Map() };
  writeReportSettings(io, { ...input, spec: { mqtt: { host: "192.0.2.1" } } });
  t.match(await loadLinkSettings(io, {}), { host: "192.0.2.1" });
  writeReportSettings(io, { ...input, spec: undefined });
  t.equal(await loadLinkSettings(io, {}), undefined);
});

t.test("the network side cannot say which file is sent as a password", async (t) => {
  t.notMatch(reportSettingsFile, /^\/var\/lib\/firstlight-agent\//);
});

t.test("nobody names a broker: nothing is written, nothing is linked", async (t) => {
  const io = fakeIo(t.testdir());
  writeReportSettings(io, {
    instanceId: "i",
    spec: undefined,
    settings: undefined,
    credentials: new Map(),
  });
  t.strictSame(io.effects, []);
  t.equal(await loadLinkSettings(io, {}), undefined);
});

t.test("sources are read over HTTP within limits; what cannot be read is left out", async (t) => {
  const server = createServer((request, response) => {
    if (request.url === "/good") response.end("content");
    else if (request.url === "/huge") response.end(Buffer.alloc(33 * 1024 * 1024));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const lines: string[] = [];
  const log = createLog(fakeIo(t.testdir()).clock, (record) => lines.push(JSON.stringify(record)));
  const fetch = sourceFetcher({ log, clock: hostClock, courier: httpCourier });
  const found = await fetch([
    `${base}/good`,
    `${base}/none?token=canary`,
    `${base}/huge`,
    "data:;base64,aGk=",
    "data:,a%20b",
    "ftp://x/y",
    "not an address",
  ]);
  const texts = [...found].map(([url, bytes]) => [
    url.replace(base, ""),
    Buffer.from(bytes).toString(),
  ]);
  t.strictSame(texts, [
    ["/good", "content"],
    ["data:;base64,aGk=", "hi"],
    ["data:,a%20b", "a b"],
  ]);
  t.match(lines.join("\n"), /status 404/);
  t.notMatch(lines.join("\n"), "canary");
});
