import path from "node:path";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { credentials } from "./credentials.ts";
import { discover } from "./discover.ts";
import { addSeedDirectory, setKernelCommandLine } from "./fake-machine.ts";
import { givenSecrets } from "./given-secrets.ts";
import { type Tree, writeTree } from "./images/make-images.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const sealed = (text: string) => `sealed ${text}`;

/** By which ways a machine is given credentials, each with values by name. */
interface Given {
  readonly unit?: Tree;
  readonly system?: Tree;
  /** In the clear; a fake `systemd-creds` seals and opens them. */
  readonly encrypted?: Readonly<Record<string, string>>;
  readonly firmware?: Tree;
  /** Strings of SMBIOS type 11, one structure each. */
  readonly smbios?: readonly (readonly string[])[];
  readonly commandLine?: string;
  readonly files?: Tree;
}

const machineId = "0123456789abcdef0123456789abcdef";

function machine(t: Test, given: Given) {
  const root = path.join(t.testdir(), "root");
  writeTree(root, { "etc/machine-id": `${machineId}\n`, ...given.files });
  writeTree(path.join(root, "run/credentials/unit"), given.unit ?? {});
  writeTree(path.join(root, "run/credentials/@system"), given.system ?? {});
  const encrypted = Object.entries(given.encrypted ?? {});
  writeTree(
    path.join(root, "run/credentials/@encrypted"),
    Object.fromEntries(encrypted.map(([name, text]) => [name, sealed(text)])),
  );
  const firmware = Object.entries(given.firmware ?? {});
  writeTree(
    path.join(root, "sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials"),
    Object.fromEntries(firmware.map(([name, value]) => [`${name}/raw`, value])),
  );
  for (const [index, strings] of (given.smbios ?? []).entries()) {
    const header = Buffer.from([11, 5, 0, 3, strings.length]);
    const raw = Buffer.concat([header, Buffer.from(`${strings.join("\0")}\0\0`, "latin1")]);
    writeTree(path.join(root, `sys/firmware/dmi/entries/11-${index}`), { raw });
  }
  setKernelCommandLine(root, given.commandLine ?? "quiet");
  const io = fakeIo(root, {
    "systemd-creds": ({ args }) => {
      const file = args.at(-2)?.slice(root.length) ?? "";
      const name = file.slice(file.lastIndexOf("/") + 1);
      const text = fakeIo(root).files.readText(file) ?? "";
      const isFor = args.includes(`--name=${name}`) && text.startsWith("sealed ");
      if (!isFor) return { code: 1, stderr: "Failed to decrypt: bad message\n" };
      return { stdout: `${base64(text.slice("sealed ".length))}\n` };
    },
  });
  return { ...io, env: given.unit ? { CREDENTIALS_DIRECTORY: "/run/credentials/unit" } : {} };
}

async function read(io: ReturnType<typeof machine>) {
  const found = await discover(io, { datasources: undefined, log: silentLog });
  if (found.kind === "disabled") throw new Error("it is not switched off");
  const { instance, secrets, userData, findings } = found.content;
  const text = (name: string | undefined) =>
    Buffer.from(secrets.get(name ?? "")?.reveal() ?? []).toString();
  return {
    instance,
    findings,
    format: userData?.format,
    userData: text(instance.userData?.secretRef),
    networkConfig: text(instance.networkConfig?.secretRef),
    secrets: Object.fromEntries(
      [...givenSecrets(found.content)].map(([name, secret]) => [
        name,
        Buffer.from(secret.reveal()).toString(),
      ]),
    ),
  };
}

const spec = "hostname: edge-1\n";
const name = "firstlight.spec";

const channels: Readonly<Record<string, { readonly given: Given; readonly origin: string }>> = {
  "handed to the unit": {
    given: { unit: { [name]: spec } },
    origin: "systemd",
  },
  "handed to the system": {
    given: { system: { [name]: spec } },
    origin: "systemd",
  },
  encrypted: {
    given: { encrypted: { [name]: spec } },
    origin: "systemd",
  },
  "kept by the image": {
    given: { files: { [`etc/credstore/${name}`]: spec } },
    origin: "systemd",
  },
  "kept by the image, encrypted": {
    given: { files: { [`etc/credstore.encrypted/${name}`]: sealed(spec) } },
    origin: "systemd",
  },
  "fw_cfg of QEMU": { given: { firmware: { [name]: spec } }, origin: "QEMU fw_cfg" },
  "a string of SMBIOS": {
    given: { smbios: [["vendor"], ["x", `io.systemd.credential:${name}=${spec}`]] },
    origin: "SMBIOS",
  },
  "a string of SMBIOS in base64": {
    given: { smbios: [[`io.systemd.credential.binary:${name}=${base64(spec)}`]] },
    origin: "SMBIOS",
  },
  "the kernel command line": {
    given: { commandLine: `quiet "systemd.set_credential=${name}:${spec.trim()}" ro` },
    origin: "kernel command line",
  },
  "the kernel command line in base64": {
    given: { commandLine: `systemd.set-credential-binary=${name}:${base64(spec)}` },
    origin: "kernel command line",
  },
  "SMBIOS, imported by systemd": {
    given: {
      unit: { [name]: spec },
      system: { [name]: spec },
      smbios: [[`io.systemd.credential:${name}=${spec}`]],
    },
    origin: "SMBIOS",
  },
  "encrypted, decrypted for the unit": {
    given: { unit: { [name]: spec }, encrypted: { [name]: spec } },
    origin: "systemd",
  },
};

for (const [way, { given, origin }] of Object.entries(channels)) {
  t.test(`a spec comes by a credential: ${way}`, async (t) => {
    const io = machine(t, given);
    const { instance, userData, format, findings } = await read(io);
    t.equal(userData.trim(), spec.trim());
    t.equal(format, "firstlight");
    t.match(instance.datasource, { name: "credentials", removable: false });
    t.equal(instance.datasource.identity, `credential ${name} (${origin})`);
    t.match(instance.instanceId, /^iid-[0-9a-f]{16}$/, "of this installation");
    t.notMatch(instance.instanceId, machineId.slice(0, 8));
    const isCommandLine = origin === "kernel command line";
    const codes = findings.map(({ level, code }) => `${level} ${code}`);
    t.same(codes, isCommandLine ? ["note secret/readable-by-all"] : []);
    t.same(io.effects, [], "nothing was changed");
  });
}

t.test("user-data with everything beside it, before any seed", async (t) => {
  const io = machine(t, {
    system: {
      "firstlight.user-data": "#cloud-config\n",
      "firstlight.meta-data": "instance-id: i-7\nlocal-hostname: edge-7\n",
      "firstlight.network-config": "version: 2\n",
      "firstlight.secret.token": "s3cret",
      "getty.ttys.serial": "ttyS0",
    },
    encrypted: { "firstlight.secret.key": "k3y" },
  });
  addSeedDirectory(io.files.root, { "meta-data": "", "user-data": "#cloud-config\n" });
  const found = await read(io);
  t.match(found, {
    instance: {
      instanceId: "i-7",
      hostname: "edge-7",
      secrets: { key: { secretRef: "secret.key" }, token: { secretRef: "secret.token" } },
    },
    format: undefined,
    userData: "#cloud-config\n",
    networkConfig: "version: 2\n",
    secrets: { key: "k3y", token: "s3cret" },
    findings: [{ code: "datasource/several", document: "NoCloud" }],
  });
  t.notMatch(JSON.stringify(found.instance), /s3cret|k3y/);
});

t.test(
  "secrets come as credentials whichever datasource is used, where the owner allows it",
  async (t) => {
    const io = machine(t, {
      smbios: [["io.systemd.credential:firstlight.secret.token=s3cret"]],
      commandLine: "systemd.set_credential=firstlight.secret.open:all",
    });
    addSeedDirectory(io.files.root, { "meta-data": "instance-id: i\n", "user-data": "" });
    t.equal(credentials.detect(io), undefined, "they alone are no datasource");
    const found = await read(io);
    t.match(found, {
      instance: { datasource: { name: "NoCloud" } },
      secrets: { token: "s3cret", open: "all" },
      findings: [
        { level: "warning", code: "secret/readable-by-all", path: "firstlight.secret.open" },
      ],
    });
    const only = await discover(io, { datasources: ["NoCloud"], log: silentLog });
    t.match(only, { content: { findings: [] } });
    t.notOk(only.kind === "found" && only.content.instance.secrets);
  },
);

t.test("of several with one name systemd's order counts, and the others are told", async (t) => {
  const io = machine(t, {
    firmware: { [name]: "hostname: first\n" },
    smbios: [
      [`io.systemd.credential:${name}=hostname: second`, "io.systemd.credential:no-equals"],
      [`io.systemd.credential.binary:firstlight.user-data=%%%`],
    ],
    commandLine: `systemd.set_credential=${name}:{} systemd.set_credential=firstlight.user-data:x`,
  });
  const { userData, findings } = await read(io);
  t.equal(userData, "hostname: first\n");
  const told = findings.map(({ level, code, path: of, message }) => [level, code, of, message]);
  t.match(told, [
    ["warning", "datasource/several", name, /^that of SMBIOS .*fw_cfg.* comes first/],
    ["warning", "datasource/unusable", "firstlight.user-data", /no base64/],
    ["note", "secret/readable-by-all", name, /./],
    ["warning", "datasource/several", name, /^that of kernel command line is not used/],
    ["note", "secret/readable-by-all", "firstlight.user-data", /./],
    ["warning", "datasource/several", "firstlight.user-data", /there is firstlight.spec/],
  ]);
  t.equal(told.length, 6);
});

t.test("a credential under another name is told, and is no datasource", async (t) => {
  const io = machine(t, { system: { "firstlight.userdata": "#cloud-config\n" } });
  await t.rejects(discover(io, { datasources: undefined, log: silentLog }), {
    code: "datasource/none",
    message: /firstlight\.userdata: nothing reads .*; did you mean firstlight\.user-data\?/,
  });
  const beside = machine(t, { system: { [name]: spec, "firstlight.secret.": "x" } });
  t.match((await read(beside)).findings, [
    { level: "warning", code: "datasource/unknown-credential", path: "firstlight.secret." },
  ]);
});

t.test("what cannot be decrypted is a fault, not another datasource", async (t) => {
  const io = machine(t, { files: { "run/credentials/@encrypted/firstlight.spec": "damaged" } });
  addSeedDirectory(io.files.root, { "meta-data": "instance-id: i\n", "user-data": "" });
  await t.rejects(discover(io, { datasources: undefined, log: silentLog }), {
    code: "secret/decrypt-failed",
    message: /@encrypted\/firstlight\.spec: systemd-creds ended with 1: Failed to decrypt/,
  });
});

t.test("a secret that cannot be decrypted, or is too large, takes nothing else away", async (t) => {
  const io = machine(t, {
    system: {
      "firstlight.user-data": "#cloud-config\n",
      "firstlight.secret.large": Buffer.alloc(1024 * 1024 + 1),
      "firstlight.wrong": "x",
    },
    smbios: [["io.systemd.credential:firstlight.wrong=x"]],
    files: { "run/credentials/@encrypted/firstlight.secret.token": "damaged" },
  });
  const { secrets, findings } = await read(io);
  t.same(secrets, {});
  t.same(
    findings.map(({ level, code, path: of }) => `${level} ${code} ${of}`),
    [
      "warning datasource/unusable firstlight.secret.large",
      "warning datasource/unknown-credential firstlight.wrong",
      "warning secret/decrypt-failed firstlight.secret.token",
    ],
  );
});

t.test("the token of an enrolment is known, and a secret", async (t) => {
  const token = "firstlight.enroll-token";
  const told = async (given: Given) =>
    (await read(machine(t, given))).findings.map(
      ({ level, code, path: of }) => `${level} ${code} ${of}`,
    );
  const smbios = [[`io.systemd.credential:${token}=t0ken`]];
  t.same(await told({ system: { [name]: spec }, smbios }), []);
  const commandLine = `systemd.set_credential=${token}:t0ken`;
  t.same(await told({ system: { [name]: spec }, commandLine }), [
    `warning secret/readable-by-all ${token}`,
  ]);
  const alone = machine(t, { smbios });
  t.equal(credentials.detect(alone), undefined, "it alone is no datasource");
});

t.test("firmware is not asked where it is another's, or not trusted", async (t) => {
  const given = {
    firmware: { [name]: spec },
    smbios: [[`io.systemd.credential:${name}=${spec}`]],
  };
  const marks = {
    "a container": "run/systemd/container",
    "a confidential machine": "dev/sev-guest",
  };
  for (const [what, file] of Object.entries(marks)) {
    const io = machine(t, { ...given, files: { [file]: "x" } });
    t.equal(credentials.detect(io), undefined, what);
  }
});
