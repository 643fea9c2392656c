import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import type { Files, Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { credentialLimitBytes } from "#provisioner/render/credential-limit.ts";
import {
  credentialsDirectory,
  openCredentialStore,
  previewCredentials,
} from "./credential-store.ts";

const bag = (values: Readonly<Record<string, string>>) =>
  new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      new Secret<Uint8Array>(Buffer.from(value)),
    ]),
  );

/** A fake machine that says it is the running one: its root is `/`. */
function asRunningMachine(io: Io): Io {
  const files: Files = { ...io.files, root: "/" };
  return { ...io, files };
}

t.test("each version of a secret is a root-only file of its own, never changed", async (t) => {
  const root = t.testdir();
  const store = await openCredentialStore(fakeIo(root));
  const first = (await store.store(bag({ password: "one" }))).get("password");
  const second = (await store.store(bag({ password: "two" }))).get("password");
  t.not(first?.file, second?.file);
  t.match(first?.file, /^password@[0-9a-f]{16}$/);
  const directory = path.join(root, credentialsDirectory);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(readFileSync(path.join(directory, first?.file ?? ""), "utf8"), "one");
  for (const name of readdirSync(directory))
    t.equal(statSync(path.join(directory, name)).mode & 0o777, 0o400, name);
  t.strictSame(store.list(), [first?.file, second?.file].sort());
});

t.test("the same secret keeps its name over restarts, and costs no second write", async (t) => {
  const root = t.testdir();
  const before = (await (await openCredentialStore(fakeIo(root))).store(bag({ a: "x" }))).get("a");
  const io = fakeIo(root);
  const after = (await (await openCredentialStore(io)).store(bag({ a: "x" }))).get("a");
  t.strictSame(before, after);
  t.strictSame(io.effects, []);
});

t.test("the name says nothing that another machine could check a guess with", async (t) => {
  const here = await openCredentialStore(hostIo({ root: t.testdir() }));
  const there = await openCredentialStore(hostIo({ root: t.testdir() }));
  const name = async (store: typeof here) =>
    (await store.store(bag({ pin: "1234" }))).get("pin")?.file;
  t.not(await name(here), await name(there));
});

t.test(
  "with systemd-creds secrets are encrypted, bound to their name, and never in an argument",
  async (t) => {
    const systemdCreds: FakeProgram = ({ stdin }) => ({
      stdout: `encrypted ${Buffer.from(stdin ?? "").length}\n`,
    });
    const fake = fakeIo(t.testdir(), { "systemd-creds": systemdCreds });
    const store = await openCredentialStore(asRunningMachine(fake));
    t.match(await store.protection(), { encrypted: true });
    const file = (await store.store(bag({ token: "canary" }))).get("token");
    t.match(file, { name: "token", encrypted: true });
    t.equal(fake.files.readText(`${credentialsDirectory}/${file?.file}`), "encrypted 6\n");
    const call = fake.executed.at(-1);
    const options = ["--with-key=auto", "--tpm2-pcrs=16", "--name=token"];
    t.strictSame(call?.args, ["encrypt", ...options, "-", "-"]);
    t.notMatch(JSON.stringify(fake.executed.map(({ args, env }) => ({ args, env }))), "canary");
  },
);

t.test("where systemd-creds is not there or does not work, the store says so", async (t) => {
  const absent = await openCredentialStore(asRunningMachine(fakeIo(t.testdir())));
  t.match(await absent.protection(), { encrypted: false, why: /not there/ });
  const broken: FakeProgram = () => ({ code: 1, stderr: "no key\n" });
  const store = await openCredentialStore(
    asRunningMachine(fakeIo(t.testdir(), { "systemd-creds": broken })),
  );
  t.match(await store.protection(), { encrypted: false, why: /no key/ });
});

t.test(
  "an encryption that fails is a fault that names the credential and not its value",
  async (t) => {
    let calls = 0;
    const failing: FakeProgram = () => {
      calls += 1;
      return calls === 1 ? { stdout: "probe" } : { code: 1, stderr: "TPM is gone\n" };
    };
    const store = await openCredentialStore(
      asRunningMachine(fakeIo(t.testdir(), { "systemd-creds": failing })),
    );
    await t.rejects(store.store(bag({ token: "canary" })), {
      code: "secret/encrypt-failed",
      message: /token.*TPM is gone/,
    });
  },
);

/** What keeps secrets under a key, which a TPM may lose. */
const keptUnder =
  (key: string): FakeProgram =>
  ({ args = [], stdin }) => {
    if (args[0] === "encrypt") {
      return { stdout: `${key} ${Buffer.from(stdin ?? "").toString("base64")}\n` };
    }
    const [under, base64 = ""] = readFileSync(args.at(-2) ?? "", "utf8")
      .trimEnd()
      .split(" ");
    return under === key ? { stdout: base64 } : { code: 1, stderr: "cannot unseal\n" };
  };

t.test(
  "what is stored encrypted is looked at, and encrypted anew where it cannot be opened",
  async (t) => {
    const root = t.testdir();
    const run = async (program: FakeProgram) => {
      const fake = fakeIo(root, { "systemd-creds": program });
      const store = await openCredentialStore(asRunningMachine(fake));
      const files = await store.store(bag({ a: "x", b: "y" }));
      const texts = [...files.values()].map(({ file, encrypted }) => {
        t.ok(encrypted);
        return fake.files.readText(`${credentialsDirectory}/${file}`);
      });
      return { texts, asked: fake.executed.map(({ args }) => args[0]) };
    };
    const under = (key: string) => [`${key} eA==\n`, `${key} eQ==\n`];
    t.same((await run(keptUnder("k1"))).texts, under("k1"));
    t.same(await run(keptUnder("k1")), { texts: under("k1"), asked: ["decrypt", "decrypt"] });
    const again = ["decrypt", "encrypt", "encrypt", "decrypt", "encrypt"];
    t.same(await run(keptUnder("k2")), { texts: under("k2"), asked: again }, "a key that is lost");
    const broken: FakeProgram = () => ({ code: 1, stderr: "no TPM\n" });
    t.same((await run(broken)).texts, under("k2"), "one that fails for once");
  },
);

t.test("a plain file is never taken for an encrypted one, nor the other way round", async (t) => {
  const root = t.testdir();
  const sealing: FakeProgram = () => ({ stdout: "sealed" });
  const failing: FakeProgram = () => ({ code: 1 });
  const store = async (program: FakeProgram, values: Readonly<Record<string, string>>) => {
    const io = asRunningMachine(fakeIo(root, { "systemd-creds": program }));
    const files = await (await openCredentialStore(io)).store(bag(values));
    return [...files.values()].map((each) => ({
      encrypted: each.encrypted,
      content: io.files.readText(`${credentialsDirectory}/${each.file}`),
    }));
  };
  t.strictSame(await store(failing, { a: "x" }), [{ encrypted: false, content: "x" }]);
  t.strictSame(await store(sealing, { a: "x" }), [{ encrypted: true, content: "sealed" }]);
  t.strictSame(await store(failing, { a: "x" }), [{ encrypted: true, content: "sealed" }]);
});

t.test("what a power cut left of a credential is shredded too", async (t) => {
  const io = fakeIo(t.testdir());
  const store = await openCredentialStore(io);
  io.files.write(`${credentialsDirectory}/.token@1.77.1.tmp`, "canary");
  t.strictSame(store.shred(new Set()), []);
  t.strictSame(io.files.list(credentialsDirectory), [".salt"]);
});

t.test("shredding keeps what generations name", async (t) => {
  const store = await openCredentialStore(fakeIo(t.testdir()));
  const files = await store.store(bag({ old: "1", used: "2" }));
  const used = files.get("used")?.file ?? "";
  t.strictSame(store.shred(new Set([used])), [files.get("old")?.file]);
  t.strictSame(store.list(), [used]);
});

t.test("what is larger than a unit can be given is named, and not stored", async (t) => {
  const store = await openCredentialStore(fakeIo(t.testdir()));
  const most = 1024 * 1024 - "a".length;
  const files = await store.store(bag({ a: "x".repeat(most), b: "x".repeat(most + 1) }));
  t.match(files.get("a"), { name: "a", bytes: most });
  t.match(files.get("b"), { name: "b", bytes: most + 1 });
  t.strictSame(store.list(), [files.get("a")?.file]);
});

t.test("a preview says nothing of a secret, so that nobody can guess it from its name", (t) => {
  const names = (value: string) => previewCredentials(bag({ a: value })).get("a")?.file;
  t.equal(names("1234"), "a@preview");
  t.equal(names("1235"), names("1234"));
  t.end();
});

t.test("a preview names the same files for the same secrets, and stores nothing", async (t) => {
  t.strictSame(
    previewCredentials(bag({ b: "2", a: "1" })),
    previewCredentials(bag({ a: "1", b: "2" })),
  );
});

const hasSystemdCreds = await hostIo()
  .exec({ file: "systemd-creds", args: ["--version"], timeoutMs: 10_000 })
  .then(
    () => true,
    () => false,
  );

t.test(
  "what real systemd-creds encrypts, it decrypts under the same name only",
  {
    skip: hasSystemdCreds && process.getuid?.() === 0 ? false : "needs systemd-creds and root",
  },
  async (t) => {
    const host = hostIo();
    const key = path.join(t.testdir(), "key");
    const run = (args: readonly string[], stdin: string) =>
      host.exec({
        file: "systemd-creds",
        args,
        stdin,
        timeoutMs: 20_000,
        env: { SYSTEMD_CREDENTIAL_SECRET: key },
      });
    const sealed = await run(["encrypt", "--with-key=host", "--name=one", "-", "-"], "canary");
    t.equal(sealed.code, 0, sealed.stderr);
    t.equal((await run(["decrypt", "--name=one", "-", "-"], sealed.stdout)).stdout, "canary");
    t.not((await run(["decrypt", "--name=two", "-", "-"], sealed.stdout)).code, 0);
    const ofLength = async (length: number) =>
      (await run(["encrypt", "--with-key=host", "--name=one", "-", "-"], "x".repeat(length))).code;
    t.equal(await ofLength(credentialLimitBytes), 0);
    t.not(await ofLength(credentialLimitBytes + 1), 0, "the limit is systemd's");
  },
);
