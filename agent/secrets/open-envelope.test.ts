import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import { needs, writeTree } from "../datasources/images/make-images.ts";
import { credentialsDirectory } from "./credential-store.ts";
import { ensureIdentity, hasIdentity, readIdentity } from "./node-identity.ts";
import { openEnvelope, recipientOf } from "./open-envelope.ts";
import { hostKeyFile, parseOpenSshKey } from "./ssh-host-key.ts";
import { x25519Of } from "./ssh-identity.ts";
import { publicBytesOf } from "./x25519.ts";

const tools = needs("age", "age-keygen", "ssh-keygen");
const plain = { protection: async () => ({ encrypted: false, why: "" }) };
const text = "k3y\n";

/** Seals with the real `age`. */
function seal(recipients: readonly string[], input: string | Uint8Array, armour = false): Buffer {
  const args = [...(armour ? ["-a"] : []), ...recipients.flatMap((each) => ["-r", each])];
  return execFileSync("age", args, { input, maxBuffer: 64 * 1024 * 1024 });
}

/** A machine with a key of its own. */
async function node(root: string, programs: Record<string, FakeProgram> = {}) {
  const io = fakeIo(root, programs);
  await ensureIdentity(io, plain);
  const key = await readIdentity(io);
  if (key === undefined) throw new Error("there is no key");
  return { io, recipient: await recipientOf(key) };
}

/** Gives a machine an ssh host key, made by ssh-keygen, and returns its public line. */
function addHostKey(root: string, args: readonly string[] = ["-t", "ed25519", "-N", ""]): string {
  const file = path.join(root, hostKeyFile);
  writeTree(path.dirname(file), {});
  execFileSync("ssh-keygen", ["-q", "-C", "root@node", ...args, "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

const opened = async (io: Io, sealed: Uint8Array) =>
  Buffer.from(await openEnvelope(io, sealed)).toString();

t.test(
  "what age seals to the node's key is opened, binary and in ASCII armour",
  tools,
  async (t) => {
    const { io, recipient } = await node(path.join(t.testdir(), "root"));
    t.match(recipient, /^age1[a-z0-9]{58}$/);
    t.equal(await opened(io, seal([recipient], text)), text);
    t.equal(await opened(io, seal([recipient], text, true)), text);
    const windows = seal([recipient], text, true).toString().replaceAll("\n", "\r\n");
    t.equal(await opened(io, Buffer.from(`\n  ${windows}\n`)), text, "as an editor may leave it");
    const large = Buffer.alloc(300_000, "abc");
    t.ok(large.equals(Buffer.from(await openEnvelope(io, seal([recipient], large)))));
  },
);

t.test("what age seals to the ssh host key is opened", tools, async (t) => {
  const scratch = t.testdir();
  const root = path.join(scratch, "root");
  const other = addHostKey(path.join(scratch, "other"));
  const line = addHostKey(root);
  const io = fakeIo(root);
  t.equal(await opened(io, seal([line], text)), text, "without a key of its own");
  const { recipient } = await node(path.join(scratch, "third"));
  t.equal(await opened(io, seal([other, recipient, line], text, true)), text, "among others");
  const rsa = path.join(scratch, "rsa");
  addHostKey(rsa, ["-t", "rsa", "-b", "2048", "-N", ""]);
  const locked = path.join(scratch, "locked");
  addHostKey(locked, ["-t", "ed25519", "-N", "secret"]);
  for (const machine of [rsa, locked]) {
    const file = readFileSync(path.join(machine, hostKeyFile), "utf8");
    t.equal(parseOpenSshKey(file), undefined);
  }
});

t.test("what is sealed to the X25519 key of the ssh host key is opened", tools, async (t) => {
  const root = path.join(t.testdir(), "root");
  addHostKey(root);
  const hostKey = parseOpenSshKey(readFileSync(path.join(root, hostKeyFile), "utf8"));
  if (hostKey === undefined) return t.fail("there is no host key");
  // What ssh-to-age prints is the point of the public key on the other curve: u = (1 + y) / (1 - y).
  const y = littleEndian(hostKey.publicKey.slice(-32)) & ((1n << 255n) - 1n);
  const p = (1n << 255n) - 19n;
  const u = ((1n + y) * power(p + 1n - y, p - 2n, p)) % p;
  t.equal(littleEndian(publicBytesOf(x25519Of(hostKey))), u);
  const sealed = seal([await recipientOf(x25519Of(hostKey))], text);
  t.equal(await opened(fakeIo(root), sealed), text);
  const moved = "persist/etc/ssh/key";
  writeTree(path.join(root, path.dirname(moved)), {});
  renameSync(path.join(root, hostKeyFile), path.join(root, moved));
  await t.rejects(opened(fakeIo(root), sealed), { code: "secret/envelope-foreign" });
  const config = `Port 22\nHostKey /etc/ssh/ssh_host_rsa_key\n  hostkey "/${moved}"\n`;
  writeFileSync(path.join(root, "etc/ssh/sshd_config"), config);
  t.equal(await opened(fakeIo(root), sealed), text, "wherever sshd finds it");
});

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

t.test("what is for others is told from what is damaged", tools, async (t) => {
  const scratch = t.testdir();
  const root = path.join(scratch, "root");
  const { io, recipient } = await node(root);
  const line = addHostKey(root);
  const keys = execFileSync("age-keygen", { stdio: ["ignore", "pipe", "ignore"] }).toString();
  const [, stranger = ""] = /public key: (age1\S+)/.exec(keys) ?? [];
  await t.rejects(openEnvelope(io, seal([stranger], text)), {
    code: "secret/envelope-foreign",
    message: `the envelope is sealed to 1 recipient (X25519), none of them this node: this node has ${recipient} and its ssh host key`,
    hint: /^seal it again to what `firstlight identity` prints .* firstlight\.identity$/,
  });
  const elsewhere = seal([stranger, addHostKey(path.join(scratch, "ssh"))], text);
  await t.rejects(openEnvelope(io, elsewhere), {
    message: /sealed to 2 recipients \(X25519, ssh-ed25519\), none of them/,
  });
  await t.rejects(openEnvelope(fakeIo(path.join(scratch, "new")), seal([stranger], text)), {
    code: "secret/envelope-foreign",
    message: /this node has no key yet$/,
  });
  await t.rejects(openEnvelope(io, seal([recipient], text).subarray(0, -1)), {
    code: "secret/envelope-damaged",
    hint: /^seal it again with age and put it in whole/,
  });
  const damage = async (sealed: Uint8Array) =>
    openEnvelope(io, sealed).then(
      () => "opened",
      (error) => (isFault(error) ? error.code : String(error)),
    );
  for (const to of [recipient, line]) {
    const sealed = seal([to], text);
    t.equal(await damage(sealed.subarray(0, -1)), "secret/envelope-damaged", "cut");
    t.equal(await damage(sealed.subarray(0, 40)), "secret/envelope-damaged", "cut in the header");
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    t.equal(await damage(changed), "secret/envelope-damaged", "changed");
    const armoured = seal([to], text, true).toString();
    t.equal(await damage(Buffer.from(armoured.slice(0, -40))), "secret/envelope-damaged", "armour");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sealed.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const hit = Buffer.from(sealed);
          hit[at] = (hit[at] ?? 0) ^ by;
          return (await damage(hit)).startsWith("secret/envelope-");
        },
      ),
      { numRuns: 60 },
    );
  }
  const large = Buffer.concat([
    Buffer.from("age-encryption.org/v1\n"),
    Buffer.alloc(16 * 1024 * 1024),
  ]);
  t.equal(await damage(large), "secret/too-large");
});

t.test("what is sealed to a key that comes as a credential is opened", tools, async (t) => {
  const root = t.testdir();
  const { io } = await node(root);
  const file = execFileSync("age-keygen", { stdio: ["ignore", "pipe", "ignore"] }).toString();
  const [, recipient = ""] = /public key: (age1\S+)/.exec(file) ?? [];
  const sealed = seal([recipient], text);
  await t.rejects(openEnvelope(io, sealed), { code: "secret/envelope-foreign" });
  const directory = path.join(root, "run/credentials/@system");
  writeTree(directory, { "firstlight.identity": file });
  t.equal(await opened(io, sealed), text);
  writeTree(directory, { "firstlight.identity": `${file}AGE-SECRET-KEY-1S3CRET\n` });
  await t.rejects(openEnvelope(io, sealed), {
    code: "secret/identity-unreadable",
    message: "credential firstlight.identity: key 2 of 2 is none of age's",
  });
});

t.test("the node's key is made once, root-only", async (t) => {
  const root = t.testdir();
  const { io, recipient } = await node(root);
  const file = path.join(root, credentialsDirectory, ".identity");
  t.equal(statSync(file).mode & 0o777, 0o400);
  const again = await node(root);
  t.equal(again.recipient, recipient);
  t.same(again.io.effects, []);
  chmodSync(file, 0o600);
  io.files.write(`${credentialsDirectory}/.identity`, "s3cret that is no key");
  await t.rejects(readIdentity(io), {
    code: "secret/identity-unreadable",
    message: /^((?!s3cret).)*$/,
  });
});

const isRoot = process.getuid?.() === 0;
const realCreds = isRoot ? needs("systemd-creds") : { skip: "needs root" };

t.test("real systemd-creds keeps the node's key", realCreds, async (t) => {
  const scratch = t.testdir();
  const root = path.join(scratch, "root");
  writeTree(root, {});
  const env = { ...process.env, SYSTEMD_CREDENTIAL_SECRET: path.join(scratch, "host-key") };
  const io = hostIo({ root, env });
  await ensureIdentity(io, { protection: async () => ({ encrypted: true, why: "" }) });
  const file = path.join(root, credentialsDirectory, ".identity.cred");
  t.notMatch(readFileSync(file, "utf8"), /PRIVATE KEY/);
  const key = await readIdentity(io);
  t.equal(key?.asymmetricKeyType, "x25519");
  const other = { ...env, SYSTEMD_CREDENTIAL_SECRET: path.join(scratch, "other-key") };
  await t.rejects(readIdentity(hostIo({ root, env: other })), { code: "secret/decrypt-failed" });
});

t.test("where systemd-creds works it keeps the node's key, and its failure is told", async (t) => {
  const root = t.testdir();
  let works = true;
  const kept = new Map<string, string>();
  const systemdCreds: FakeProgram = ({ args, stdin }) => {
    if (!works) return { code: 1, stderr: "no TPM\n" };
    if (args[0] === "encrypt") {
      kept.set("it", Buffer.from(stdin ?? "").toString("base64"));
      return { stdout: "c2VhbGVk\n" };
    }
    return args.includes("--name=firstlight-identity")
      ? { stdout: kept.get("it") ?? "" }
      : { code: 1 };
  };
  const io = fakeIo(root, { "systemd-creds": systemdCreds });
  await ensureIdentity(io, { protection: async () => ({ encrypted: true, why: "" }) });
  t.ok(hasIdentity(io.files));
  t.same(readdirSync(path.join(root, credentialsDirectory)), [".identity.cred"]);
  const key = await readIdentity(io);
  t.equal(key?.asymmetricKeyType, "x25519");
  t.notOk(io.executed.some(({ args }) => args.some((each) => each.includes("PRIVATE"))));
  works = false;
  await t.rejects(readIdentity(io), { code: "secret/decrypt-failed", message: /no TPM/ });
});
