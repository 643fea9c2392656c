import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { keyFingerprint } from "#protocol/enroll/node-key.ts";
import { readMachine } from "./machine.ts";
import { makeNodeKey, openNodeKey, shredNodeKeys } from "./node-keys.ts";
import { enrolDirectory } from "./places.ts";

const protection = (encrypted: boolean) => ({
  protection: async () => ({ encrypted, why: "a test" }),
});

/** Encrypts as this machine, so that no other one can read it. */
const sealer =
  (machine: string): FakeProgram =>
  ({ args, stdin }) => {
    if (args[0] === "encrypt")
      return { stdout: `${machine}:${Buffer.from(stdin ?? "").toString("hex")}` };
    const [by, hex = ""] = readFileSync(args.at(-2) ?? "", "utf8").split(":");
    if (by !== machine) return { code: 1, stderr: "the TPM does not open this" };
    return { stdout: Buffer.from(hex, "hex").toString("base64") };
  };

t.test("a key is sealed where that works, and opens on its machine only", async (t) => {
  const root = t.testdir();
  const io = fakeIo(root, { "systemd-creds": sealer("one") });
  const fingerprint = await makeNodeKey(io, protection(true));
  const file = path.join(root, enrolDirectory, `key-${fingerprint}.cred`);
  t.notMatch(readFileSync(file, "utf8"), /PRIVATE KEY/);
  const key = await openNodeKey(io, fingerprint, protection(true));
  t.equal(key?.asymmetricKeyType, "ed25519");
  t.equal(key && keyFingerprint(key), fingerprint);
  t.notMatch(JSON.stringify(io.executed.map(({ args }) => args)), /PRIVATE/, "in no argument");
  const elsewhere = fakeIo(root, { "systemd-creds": sealer("two") });
  t.equal(
    await openNodeKey(elsewhere, fingerprint, protection(true)),
    undefined,
    "a disk in another machine",
  );
  const broken = fakeIo(root, { "systemd-creds": () => ({ code: 1, stderr: "no TPM for now" }) });
  await t.rejects(openNodeKey(broken, fingerprint, protection(false)), {
    code: "secret/decrypt-failed",
  });
});

t.test("a key that is another one, or none any more, is not there", async (t) => {
  const io = fakeIo(t.testdir());
  const [one, two] = [
    await makeNodeKey(io, protection(false)),
    await makeNodeKey(io, protection(false)),
  ];
  const file = (fingerprint: string) => `${enrolDirectory}/key-${fingerprint}.pem`;
  t.equal((io.files.stat(file(one))?.mode ?? 0) & 0o777, 0o400);
  t.ok(await openNodeKey(io, one, protection(false)));
  io.files.write(file(one), io.files.read(file(two)) ?? "");
  t.equal(await openNodeKey(io, one, protection(false)), undefined);
  io.files.write(file(two), "no key");
  t.equal(await openNodeKey(io, two, protection(false)), undefined);
  t.equal(await openNodeKey(io, "0".repeat(64), protection(false)), undefined);
  io.files.write(`${enrolDirectory}/state.json`, "{}");
  shredNodeKeys(io, [two]);
  t.strictSame(io.files.list(enrolDirectory), [`key-${two}.pem`, "state.json"]);
});

t.test("a machine is told by what its firmware says, and not by what every machine says", (t) => {
  const digestOf = (files: Readonly<Record<string, string>>) => {
    const { files: machine } = fakeIo(
      t.testdir({ [`machine-${Object.values(files).join("").length}`]: {} }),
    );
    for (const [name, text] of Object.entries(files)) machine.write(name, text);
    const { hardware } = readMachine(machine);
    for (const name of Object.keys(files)) machine.remove(name);
    return hardware;
  };
  const serial = "/sys/class/dmi/id/product_serial";
  const tree = "/sys/firmware/devicetree/base/serial-number";
  t.match(digestOf({ [serial]: "PF3ABCDE\n" }), /^[0-9a-f]{64}$/);
  t.equal(digestOf({ [serial]: "PF3ABCDE\n" }), digestOf({ [serial]: "pf3abcde" }));
  t.not(digestOf({ [serial]: "PF3ABCDE" }), digestOf({ [serial]: "PF3ABCDF" }));
  t.match(digestOf({ [tree]: "10000000a1b2c3d4\0" }), /^[0-9a-f]{64}$/);
  for (const nothing of [
    "",
    "None",
    "Default string",
    "To Be Filled By O.E.M.",
    "0000000000",
    "Not Specified",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  ])
    t.equal(digestOf({ [serial]: nothing }), null, JSON.stringify(nothing));
  t.equal(digestOf({}), null);
  t.end();
});
