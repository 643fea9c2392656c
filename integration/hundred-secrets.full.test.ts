import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import t, { type Test } from "tap";
import { ec2Answers, onlyWith } from "#agent/datasources/clouds/fake-ec2.ts";
import {
  hetznerAnswers,
  hetznerMetadata,
  hetznerUserDataPath,
} from "#agent/datasources/clouds/fake-hetzner.ts";
import { makeFat, needs, writeTree } from "#agent/datasources/images/make-images.ts";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { randomFrom } from "#core/random-from.ts";
import { hardwareSigner, signedWith } from "#provisioner/userdata/signed/try-sign.ts";
import { type Broker, brokerMissing, startBroker } from "./brokers.ts";
import { canariesIn, canary, canaryMark, findCanaries } from "./canaries.ts";
import { everythingReceived, saidNothing } from "./canary-watch.ts";
import { ec2Nitro } from "./machines/ec2-nitro.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type Run, type StoryNode, type StoryOptions, stick, storyNode } from "./story.ts";

t.setTimeout(600_000);

const skip =
  skipWithoutNix() ||
  brokerMissing("mosquitto") ||
  (needs("xorriso", "mkfs.vfat", "age", "ssh-keygen").skip ?? false);

const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? 20_261_127);
const random = randomFrom(seed);

/** How many secrets come by each channel; together a hundred. */
const channels = {
  field: 5,
  named: 10,
  credential: 10,
  smbios: 10,
  firmware: 10,
  x25519: 10,
  ssh: 10,
  stick: 5,
  whole: 5,
  metadata: 5,
  kernel: 5,
  network: 5,
  seedfrom: 5,
  vendor: 5,
} as const;

type Channel = keyof typeof channels;

/** Names that nobody guesses, by channel. */
const names: Readonly<Record<Channel, readonly string[]>> = Object.fromEntries(
  Object.entries(channels).map(([channel, count]) => [
    channel,
    Array.from({ length: count }, () => {
      const digits = () =>
        Math.floor(random() * 2 ** 32)
          .toString(16)
          .padStart(8, "0");
      return `${channel}-${digits()}${digits()}`;
    }),
  ]),
) as { [channel in Channel]: string[] };

const recorder = path.join(import.meta.dirname, "record-processes.ts");
const reporter = path.join(import.meta.dirname, "write-report.ts");

/** A machine, and everything that was seen of it. */
interface Watched {
  readonly node: StoryNode;
  readonly runs: readonly Run[];
  readonly reports: string;
  firstlight(...args: string[]): Promise<Run>;
}

async function watched(t: Test, options: Omit<StoryOptions, "nixConfig"> = {}): Promise<Watched> {
  const node = await storyNode(t, { ...options, nixConfig: ["compress-build-log = false"] });
  const reports = path.join(path.dirname(node.machine.root), "reports");
  mkdirSync(reports);
  mkdirSync(path.join(node.machine.root, "etc/ssh"), { recursive: true });
  const key = path.join(node.machine.root, "etc/ssh/ssh_host_ed25519_key");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
  const imports = [recorder, reporter].map((file) => `--import=${pathToFileURL(file).href}`);
  const env = { NODE_OPTIONS: imports.join(" "), WRITE_REPORTS: reports };
  const runs: Run[] = [];
  return {
    ...{ node, runs, reports },
    async firstlight(...args) {
      const run = await node.firstlight([...args, "-v"], { record: true, env });
      runs.push(run);
      return run;
    },
  };
}

/** Seals a text to one of the keys that a node says it has. */
function seal(recipients: string, kind: "age1" | "ssh-ed25519", text: string): string {
  const recipient = recipients.split("\n").find((line) => line.startsWith(kind)) ?? "";
  const sealed = spawnSync("age", ["-a", "-r", recipient], { input: text, encoding: "utf8" });
  if (sealed.status !== 0) throw new Error(`age: ${sealed.stderr}`);
  return sealed.stdout;
}

/** Files that a spec hands secrets to, by their names. */
function filesFor(...all: readonly (readonly string[])[]): string {
  return all
    .flat()
    .map((name) => `    - { path: /root/${name}, secret: { secretRef: ${name} } }\n`)
    .join("");
}

const health = "health: { passes: 1, interval: 10ms, timeout: 5s }";

/** Where a machine of this name tells what became of it. */
function reportOf(node: string, { host, port }: Broker): string {
  const mqtt = `{ host: ${host}, port: ${port}, username: edge, password: edge }`;
  return `report: { node: ${node}, mqtt: ${mqtt} }`;
}

/** A network config with a password for each WLAN, and a key for each tunnel. */
function withPasswords(secrets: readonly string[]): string {
  const wlans = secrets.map((name) => `    "${name}": { password: "${canary(name)}" }\n`);
  const key = Buffer.from(canaryMark.padEnd(32, ".")).toString("base64");
  const tunnels = secrets.map((_, index) => `  wg${index}: { mode: wireguard, key: ${key} }\n`);
  return `version: 2
ethernets: { eth0: { dhcp4: true, auth: { password: "${canary("auth")}" } } }
wifis:
  wlan0:
    access-points:
${wlans.map((line) => `  ${line}`).join("")}tunnels:
${tunnels.join("")}`;
}

/** How a boot ends whose network config asks for 802.1X, which is not made. */
const withoutAuth = { code: 2, stdout: /^committed \(degraded\): generation 1 / };

/** User-data with a secret in each of its files. */
function writesFiles(secrets: readonly string[], report: string): string {
  const files = secrets.map(
    (name) => `  - { path: /root/${name}, permissions: "0600", content: "${canary(name)}" }\n`,
  );
  return `#cloud-config\nwrite_files:\n${files.join("")}firstlight:\n  ${health}\n  ${report}\n`;
}

/** A machine of a cloud whose metadata service is at another address. */
function onCloud(name: string, url: string, hardware: StoryOptions["hardware"] = ec2Nitro) {
  const metadata = { timeout: "20s", addresses: { [name]: [url] } };
  return { hardware, settings: { stateVersion: "25.11", metadata } };
}

/** Gives a machine secrets as its hypervisor and its boot loader do; returns the files that they come in. */
function giveCredentials(root: string): readonly string[] {
  const prefix = "firstlight.secret";
  const strings = names.smbios.map(
    (name) => `io.systemd.credential:${prefix}.${name}=${canary(name)}\0`,
  );
  const firmware = "sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials";
  const count = String.fromCharCode(strings.length);
  const files = Object.fromEntries([
    ...names.credential.map((name) => [`run/credentials/@system/${prefix}.${name}`, canary(name)]),
    ...names.firmware.map((name) => [`${firmware}/${prefix}.${name}/raw`, canary(name)]),
    ["sys/firmware/dmi/entries/11-0/raw", `\x0b\x05\0\0${count}${strings.join("")}\0`],
  ]) as Record<string, string>;
  writeTree(root, files);
  const words = names.kernel.map(
    (name) => ` systemd.set_credential=${prefix}.${name}:${canary(name)}`,
  );
  const kernel = "proc/cmdline";
  const said = readFileSync(path.join(root, kernel), "utf8").trimEnd();
  writeTree(root, { [kernel]: `${said}${words.join("")}\n` });
  return [...Object.keys(files), kernel];
}

/** Everything of a machine that holds a secret, and is none of `given`: credential files alone. */
function onlyInCredentials(
  t: Test,
  { node, runs, reports }: Watched,
  { given, expected }: { readonly given: readonly string[]; readonly expected: readonly string[] },
): void {
  const { root } = node.machine;
  const hits = findCanaries(root).filter(({ file }) => !given.includes(file));
  const isCredential = (file: string) => file.startsWith("var/lib/firstlight/credentials/");
  t.same(
    hits.filter(({ file }) => !isCredential(file)),
    [],
    "no other file",
  );
  const inside = hits.flatMap(({ canaries }) => canaries);
  t.same([...new Set(inside)].sort(), [...expected].sort(), "every secret has come");
  for (const { file, modes } of hits) t.same(modes, ["0400", "0700"], path.basename(file));
  t.same(findCanaries(path.join(path.dirname(root), "tmp")), [], "nor in the temporary directory");
  t.ok(readdirSync(reports).length >= runs.length, "each process has written its report");
  t.same(findCanaries(reports), [], "no report of a process");
  saidNothing(t, runs);
}

t.test(`a hundred secrets over every channel (FIRSTLIGHT_SEED=${seed})`, { skip }, async (t) => {
  t.equal(Object.values(names).flat().length, 100);
  const broker = await startBroker(t, "mosquitto", { users: { edge: "edge", ear: "ear" } });
  const received = await everythingReceived(t, broker);

  await t.test("user-data, credentials, firmware, envelopes", async (t) => {
    const machine = await watched(t);
    const given = giveCredentials(machine.node.machine.root);
    const { stdout: recipients } = await machine.firstlight("identity");
    const fields = names.field.map(
      (name) => `  - { path: /root/${name}, permissions: "0600", content: "${canary(name)}" }\n`,
    );
    const named = [
      ...names.named.map((name) => [name, canary(name)]),
      ...names.x25519.map((name) => [name, seal(recipients, "age1", canary(name))]),
      ...names.ssh.map((name) => [name, seal(recipients, "ssh-ed25519", canary(name))]),
    ].map(([name, value]) => `    ${name}: ${JSON.stringify(value)}\n`);
    const { credential, smbios, firmware, kernel, x25519, ssh } = names;
    machine.node.insert("iso", {
      instanceId: "i-1",
      networkConfig: withPasswords(names.network),
      userData: `#cloud-config
write_files:
${fields.join("")}firstlight:
  ${health}
  secrets:
${named.join("")}  files:
${filesFor(names.named, credential, smbios, firmware, kernel, x25519, ssh)}  ${reportOf("edge-1", broker)}
`,
    });
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, withoutAuth);
    await received.until(/edge-1\b.*boot\.finished/s);
    await machine.firstlight("boot", "--json");
    for (const command of ["discover", "query", "status", "history", "plan", "facts"])
      await machine.firstlight(command, "--json");
    const expected = [
      ...names.field,
      ...names.named,
      credential,
      smbios,
      firmware,
      kernel,
      x25519,
      ssh,
      names.network,
      "encoded", // the keys of tunnels
    ].flat();
    onlyInCredentials(t, machine, { given: [...given, "dev/vdb"], expected });

    const leak = path.join(machine.node.machine.root, "run/firstlight/status.json");
    appendFileSync(leak, Buffer.from(canary(smbios[0] ?? "")).toString("base64"));
    const hits = findCanaries(machine.node.machine.root);
    t.ok(
      hits.some(({ file }) => file.endsWith("status.json")),
      "one that leaks is found",
    );
  });

  await t.test("a stick", async (t) => {
    const machine = await watched(t);
    const { stdout: recipients } = await machine.firstlight("identity");
    const sealed = names.stick.map((name) => [
      `secrets/${name}.age`,
      seal(recipients, "age1", canary(name)),
    ]);
    const spec = `version: 1\n${health}\n${reportOf("edge-stick", broker)}\nfiles:\n${filesFor(names.stick)}`;
    const tree = {
      ...Object.fromEntries(sealed),
      "spec.yaml": spec,
      "meta-data": "instance-id: i-1\n",
    } as Record<string, string>;
    const image = path.join(path.dirname(machine.node.machine.root), "stick");
    machine.node.insertImage(makeFat(image, tree, { label: "FIRSTLIGHT" }), stick);
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, { code: 0, stdout: /^committed: generation 1 / });
    await received.until(/edge-stick\b.*boot\.finished/s);
    onlyInCredentials(t, machine, { given: [], expected: names.stick });
  });

  await t.test("user-data that is signed, and then sealed as a whole", async (t) => {
    const signer = hardwareSigner();
    const required = { signers: [signer.line], signature: "required" };
    const settings = { stateVersion: "25.11", userData: required };
    const machine = await watched(t, { settings });
    const { stdout: recipients } = await machine.firstlight("identity");
    const named = names.whole.map((name) => `  ${name}: ${canary(name)}\n`).join("");
    const document = `#firstlight\n${health}\n${reportOf("edge-whole", broker)}\nsecrets:\n${named}files:\n${filesFor(names.whole)}`;
    const signed = signedWith(signer, document, { namespace: "firstlight,serial=1" });
    const userData = seal(recipients, "age1", signed.toString());
    machine.node.insert("iso", { instanceId: "i-1", userData });
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, { code: 0, stdout: /^committed: generation 1 / });
    await received.until(/edge-whole\b.*boot\.finished/s);
    onlyInCredentials(t, machine, { given: [], expected: names.whole });
  });

  await t.test("user-data of a metadata service", async (t) => {
    const report = reportOf("edge-metadata", broker);
    const answers = { ...ec2Answers, "/latest/user-data": writesFiles(names.metadata, report) };
    const { url, requests } = await fakeService(t, answers, { guard: onlyWith(() => "t0ken") });
    const machine = await watched(t, onCloud("Ec2", url));
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, { code: 0, stdout: /^committed: generation 1 / });
    await received.until(/edge-metadata\b.*boot\.finished/s);
    for (const command of ["discover", "query", "status", "analyze"])
      await machine.firstlight(command, "--json");
    t.ok(requests.includes("GET /latest/user-data"));
    onlyInCredentials(t, machine, { given: [], expected: names.metadata });
  });

  await t.test("vendor-data of a metadata service", async (t) => {
    const report = reportOf("edge-vendor", broker);
    const vendorData = JSON.stringify(writesFiles(names.vendor, report));
    const said = `hostname: edge\ninstance-id: 123456\nvendor_data: ${vendorData}\n`;
    const answers = {
      ...hetznerAnswers,
      [hetznerMetadata]: said,
      [hetznerUserDataPath]: `#cloud-config\nfirstlight:\n  ${health}\n  ${report}\n`,
    };
    const { url } = await fakeService(t, answers);
    const dmi = { sys_vendor: "Hetzner", product_name: "vServer", product_serial: "123456" };
    const machine = await watched(t, onCloud("Hetzner", url, { ...qemuQ35, dmi }));
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, { code: 0, stdout: /^committed: generation 1 / });
    await received.until(/edge-vendor\b.*boot\.finished/s);
    for (const command of ["discover", "query", "status"])
      await machine.firstlight(command, "--json");
    onlyInCredentials(t, machine, { given: [], expected: names.vendor });
  });

  await t.test("a seed behind an address that the meta-data names", async (t) => {
    const { url, requests } = await fakeService(t, {
      "/seed/meta-data": `password: ${canary("meta-data")}\n`,
      "/seed/user-data": writesFiles(names.seedfrom, reportOf("edge-seedfrom", broker)),
      "/seed/vendor-data": writesFiles(["vendor-data"], "{}"),
      "/seed/network-config": withPasswords(["network-config"]),
    });
    const machine = await watched(t);
    const metaData = `seedfrom: ${url}/seed/\n`;
    machine.node.insert("iso", { instanceId: "i-1", metaData, userData: "#cloud-config\n" });
    const boot = await machine.firstlight("boot", "--report");
    t.match(boot, withoutAuth);
    await received.until(/edge-seedfrom\b.*boot\.finished/s);
    for (const command of ["discover", "query", "status", "analyze"])
      await machine.firstlight(command, "--json");
    t.ok(requests.includes("GET /seed/user-data"));
    onlyInCredentials(t, machine, {
      given: [],
      expected: [...names.seedfrom, "network-config", "encoded"],
    });
  });
  t.same(canariesIn(received.bytes()), [], "nothing the broker received");
});
