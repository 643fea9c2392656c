import { spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { getPriority } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import { renderAccountPasswords } from "./account-passwords.ts";
import type { Assignment, Concern } from "./assignment.ts";
import { renderCommands } from "./commands.ts";
import { renderFiles } from "./files.ts";
import { renderHomes } from "./homes.ts";
import { renderNetworkSecrets } from "./network-secrets.ts";
import { renderPasswords } from "./passwords.ts";
import { credentialsOf, plainBase } from "./try-render.ts";

// The text of the scripts runs here for real, with the machine's directories below a temporary one.

interface Machine {
  readonly root: string;
  readonly at: (file: string) => string;
  /** Runs a script as NixOS does, and says how it ended. */
  readonly run: (
    script: string,
    env?: Readonly<Record<string, string>>,
  ) => { readonly code: number | null; readonly stderr: string };
}

const notRoot = process.getuid?.() === 0 ? false : "SKIPPED: needs root, to be another user";

const memory = spawnSync("stat", ["-f", "-c", "%T", "/dev/shm"], { encoding: "utf8" });
const noMemory = memory.stdout === "tmpfs\n" ? false : "SKIPPED: /dev/shm is not in memory here";

const moved = /(?<![\w/.-])\/(run|var|etc|opt|nix)(?=[/ ])/g;

function machine(t: { testdir(): string }): Machine {
  const root = t.testdir();
  const bin = path.join(root, "bin");
  for (const each of ["bin", "etc", "credentials", "var/lib/firstlight/credentials", "nix/store"]) {
    mkdirSync(path.join(root, each), { recursive: true });
  }
  // A mount would need root, and would be one of the host.
  for (const name of ["mount", "mountpoint"])
    writeFileSync(path.join(bin, name), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const user = process.getuid?.() === 0 ? "" : "#!/bin/sh\nexit 0\n";
  if (user !== "") writeFileSync(path.join(bin, "chown"), user, { mode: 0o755 });
  return {
    root,
    at: (file) => path.join(root, file),
    run(script, env = {}) {
      const text = script.replaceAll(moved, (found) => root + found);
      const ended = spawnSync("bash", ["--norc", "-e", "-c", text], {
        encoding: "utf8",
        env: {
          PATH: `${bin}:${process.env["PATH"]}`,
          CREDENTIALS_DIRECTORY: path.join(root, "credentials"),
          ...env,
        },
      });
      return { code: ended.status, stderr: ended.stderr };
    },
  };
}

function concern(spec: Omit<Spec, "version">, more: Partial<Concern> = {}): Concern {
  const whole: Spec = { ...spec, version: 1 };
  return {
    spec: whole,
    base: plainBase,
    credentials: credentialsOf(whole, false),
    origins: new Map(),
    instanceId: "i-0001",
    networkRenderer: { renderer: "networkd", managerRunsBy: undefined },
    findings: [],
    ...more,
  };
}

/** The literal text at a path inside of the assignments. */
function textAt(assignments: readonly Assignment[], option: string, key: string): string {
  const found = assignments.find((each) => each.path.join(".") === option)?.value;
  const value = found === undefined ? undefined : member(found, key);
  if (value?.kind !== "string") return "";
  return value.parts.map((part) => (typeof part === "string" ? part : "")).join("");
}

function member(expr: NixExpr, key: string): NixExpr | undefined {
  if (expr.kind !== "attrs") return undefined;
  const entry = expr.entries.find((each) => each.kind === "binding" && each.path.join(".") === key);
  return entry?.kind === "binding" ? entry.value : undefined;
}

t.test("passwords", async (t) => {
  const users = {
    alice: { passwordHash: { secretRef: "a" } },
    "b.b": { passwordHash: { secretRef: "b" } },
  };
  const script = textAt(
    renderPasswords(concern({ users })),
    "system.activationScripts.firstlightPasswords",
    "text",
  );
  const hash = (m: Machine, name: string) =>
    readFileSync(m.at(`run/firstlight/passwords/${name}@0123456789abcdef`), "utf8").trim();
  const store = (m: Machine, name: string, value: string) =>
    writeFileSync(m.at(`var/lib/firstlight/credentials/${name}@0123456789abcdef`), value);

  t.test("come from their credentials, for root's eyes only", async (t) => {
    const m = machine(t);
    store(m, "a", "$6$new$x\n");
    store(m, "b", "$6$other$y");
    t.match(m.run(script), { code: 0, stderr: "" });
    t.same([hash(m, "a"), hash(m, "b")], ["$6$new$x", "$6$other$y"]);
    t.equal(statSync(m.at("run/firstlight/passwords")).mode & 0o777, 0o700);
    t.equal(statSync(m.at("run/firstlight/passwords/a@0123456789abcdef")).mode & 0o777, 0o600);
  });

  t.test("stay as they are where a credential is missing or empty, and that is said", async (t) => {
    const m = machine(t);
    writeFileSync(
      m.at("etc/shadow"),
      "xalice:$6$wrong$x:1::::::\nalice:$6$old$x:1::::::\nbxb:$6$wrong$y:1::::::\nb.b:$6$old$y:1::::::\n",
    );
    store(m, "b", "");
    const { code, stderr } = m.run(script);
    t.equal(code, 0);
    t.match(
      stderr,
      /the password of alice cannot be read.*\n.*the password of b\.b cannot be read/s,
    );
    t.same([hash(m, "a"), hash(m, "b")], ["$6$old$x", "$6$old$y"]);
  });

  t.test("of an account that has none fit nothing, and are never empty", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("etc/shadow"), "alice::1::::::\n");
    t.equal(m.run(script).code, 0);
    t.same([hash(m, "a"), hash(m, "b")], ["!", "!"]);
    const without = machine(t);
    t.equal(without.run(script).code, 0, "also without a shadow file");
    t.equal(hash(without, "a"), "!");
  });

  t.test("that cannot be decrypted stay as they are", async (t) => {
    const encrypted = concern({ users });
    const spec = { users, version: 1 as const };
    const text = textAt(
      renderPasswords({ ...encrypted, credentials: credentialsOf(spec) }),
      "system.activationScripts.firstlightPasswords",
      "text",
    );
    const m = machine(t);
    mkdirSync(m.at("system/systemd/bin"), { recursive: true });
    writeFileSync(
      m.at("system/systemd/bin/systemd-creds"),
      '#!/bin/sh\necho half; [ "$2" = --name=b ]\n',
      { mode: 0o755 },
    );
    writeFileSync(m.at("etc/shadow"), "alice:$6$old$x:1::::::\n");
    t.equal(m.run(text, { systemConfig: m.at("system") }).code, 0);
    t.same([hash(m, "a"), hash(m, "b")], ["$6$old$x", "half"]);
  });
});

t.test("passwords of accounts that are there", { skip: notRoot }, async (t) => {
  type Users = NonNullable<Spec["users"]>;
  const scriptOf = (users: Users, more: Partial<Concern> = {}) => {
    const base = { ...plainBase, mutableUsers: true };
    const rendered = renderAccountPasswords(concern({ users }, { base, ...more }));
    return textAt(rendered, "systemd.services.firstlight-passwords", "script");
  };
  /** A machine with accounts, and the programs of shadow at work on them. */
  const withAccounts = (shadow: Readonly<Record<string, string>>) => {
    const m = machine(t);
    const lines = (line: (name: string, hash: string, at: number) => string) =>
      Object.entries(shadow)
        .map(([name, hash], at) => `${line(name, hash, at)}\n`)
        .join("");
    writeFileSync(
      m.at("etc/passwd"),
      lines((name, _, at) => `${name}:x:${at}:0::/:/bin/sh`),
    );
    writeFileSync(
      m.at("etc/shadow"),
      lines((name, hash) => `${name}:${hash}:1::::::`),
    );
    for (const program of ["chpasswd", "usermod"]) {
      // They see the machine's files at their places; what they are called with is kept.
      const inside = `mount -n --bind ${m.at("etc")} /etc && shift && exec "$@"`;
      writeFileSync(
        m.at(`bin/${program}`),
        `#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\necho "${program} $*" >> ${m.at("calls")}\nexec unshare --mount sh -c '${inside}' sh ${program} ${program} "$@"\n`,
        { mode: 0o755 },
      );
    }
    return m;
  };
  const hashOf = (m: Machine, name: string) =>
    readFileSync(m.at("etc/shadow"), "utf8").match(new RegExp(`^${name}:([^:]*):`, "m"))?.[1];
  const asked = (m: Machine, value: string) => writeFileSync(m.at("credentials/a"), value);
  const changed = (m: Machine, name: string, value: string) => {
    const text = readFileSync(m.at("etc/shadow"), "utf8");
    const at = new RegExp(`^${name}:[^:]*:`, "m");
    writeFileSync(
      m.at("etc/shadow"),
      text.replace(at, () => `${name}:${value}:`),
    );
  };
  const secret = (version: string) =>
    new Map([["a", { name: "a", file: `a@${version}`, version, encrypted: false, bytes: 64 }]]);
  const root: Users = { root: { passwordHash: { secretRef: "a" } } };
  const old = "$6$image$x";

  t.test("are set once for a hash, and what a person chooses then stays", async (t) => {
    const m = withAccounts({ root: old, alice: "$6$alice$x" });
    asked(m, "$6$asked$x\n");
    t.match(m.run(scriptOf(root)), { code: 0, stderr: "" });
    t.equal(hashOf(m, "root"), "$6$asked$x");
    t.equal(hashOf(m, "alice"), "$6$alice$x");
    t.notMatch(readFileSync(m.at("calls"), "utf8"), "$6$", "no command line has a hash");
    changed(m, "root", "$6$person$x");
    t.match(m.run(scriptOf(root)), { code: 0 });
    t.equal(hashOf(m, "root"), "$6$person$x", "at the next boot");
    t.match(m.run(scriptOf(root, { instanceId: "i-0002" })), { code: 0 });
    t.equal(hashOf(m, "root"), "$6$asked$x", "of another instance");
  });

  t.test("are set in each boot where the accounts are in memory", { skip: noMemory }, async (t) => {
    const m = withAccounts({ root: old });
    const kept = mkdtempSync("/dev/shm/firstlight-test-");
    t.teardown(() => rmSync(kept, { recursive: true }));
    cpSync(m.at("etc"), kept, { recursive: true });
    rmSync(m.at("etc"), { recursive: true });
    symlinkSync(kept, m.at("etc"));
    asked(m, "$6$asked$x\n");
    t.match(m.run(scriptOf(root)), { code: 0, stderr: "" });
    changed(m, "root", "$6$person$x");
    t.match(m.run(scriptOf(root)), { code: 0, stderr: "" });
    t.equal(hashOf(m, "root"), "$6$person$x", "what a person chooses stays in this boot");
    rmSync(m.at("run"), { recursive: true });
    changed(m, "root", old);
    t.match(m.run(scriptOf(root)), { code: 0, stderr: "" });
    t.equal(hashOf(m, "root"), "$6$asked$x", "in the next the image's own is there again");
  });

  t.test("follow the document, and a generation that is gone back to", async (t) => {
    const m = withAccounts({ root: old });
    for (const version of ["1", "2", "1"]) {
      asked(m, `$6$asked$${version}`);
      t.match(m.run(scriptOf(root, { credentials: secret(version) })), { code: 0, stderr: "" });
      t.equal(hashOf(m, "root"), `$6$asked$${version}`);
    }
  });

  t.test("are locked, and unlocked where there is one behind the lock", async (t) => {
    const m = withAccounts({ root: old, alice: "!", bob: "*" });
    const users = (locked: boolean) => ({ root: { locked }, alice: { locked }, bob: { locked } });
    t.match(m.run(scriptOf(users(true))), { code: 0, stderr: "" });
    t.same(
      ["root", "alice", "bob"].map((name) => hashOf(m, name)),
      [`!${old}`, "!", "*"],
    );
    changed(m, "root", "$6$person$x");
    t.match(m.run(scriptOf(users(true))), { code: 0, stderr: "" });
    t.equal(hashOf(m, "root"), "$6$person$x", "who unlocks by hand is not locked again");
    changed(m, "root", `!${old}`);
    t.match(m.run(scriptOf(users(false))), { code: 0, stderr: "" });
    t.same(
      ["root", "alice", "bob"].map((name) => hashOf(m, name)),
      [old, "!", "*"],
    );
  });

  t.test("that cannot be set fail, keep no other back, and are tried again", async (t) => {
    const m = withAccounts({ root: old });
    asked(m, "$6$asked$x");
    const users = { ghost: root["root"] ?? {}, ...root };
    const { code, stderr } = m.run(scriptOf(users));
    t.equal(code, 1);
    t.match(stderr, /there is no account ghost\n.*not as asked: once .*password-ghost/s);
    t.equal(hashOf(m, "root"), "$6$asked$x");
    t.same(m.run(scriptOf(users)).code, 1);
    asked(m, "");
    t.same(m.run(scriptOf(root, { credentials: secret("3") })).code, 1, "an empty one is none");
    t.equal(hashOf(m, "root"), "$6$asked$x");
  });

  t.test("are NixOS's own to set where users are not mutable", async (t) => {
    const fixed = { base: { ...plainBase, mutableUsers: false } };
    t.equal(scriptOf(root, fixed), "");
    const nobodySays = renderAccountPasswords(concern({ users: root }));
    t.match(nobodySays, [{ value: { kind: "call" } }], "the image decides");
  });
});

t.test("network secrets", async (t) => {
  const me = process.getuid?.() === 0 ? { group: "daemon" } : {};
  const scriptOf = (networkSecrets: NonNullable<Spec["networkSecrets"]>) =>
    textAt(
      renderNetworkSecrets(concern({ networkSecrets })),
      "systemd.services.firstlight-network-secrets",
      "script",
    );
  const at = (m: Machine, name: string) => m.at(`run/firstlight/network/${name}`);
  const secrets = {
    wg0: { ...me, secret: { secretRef: "a" } },
    psk: { ...me, secret: { secretRef: "b" } },
  };

  t.test("lie where their group reads them, and nobody else", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("credentials/a"), "key");
    writeFileSync(m.at("credentials/b"), "psk");
    t.match(m.run(scriptOf(secrets)), { code: 0, stderr: "" });
    t.equal(readFileSync(at(m, "wg0"), "utf8"), "key");
    t.equal(readFileSync(at(m, "psk"), "utf8"), "psk");
    t.equal(statSync(at(m, "wg0")).mode & 0o777, 0o440);
    t.equal(statSync(at(m, "")).mode & 0o777, 0o711, "whose names nobody lists");
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(at(m, "wg0"));
      t.same({ uid, gid }, { uid: 0, gid: 1 });
    }
  });

  t.test("that are no longer named go, others take the new value", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("credentials/a"), "old");
    writeFileSync(m.at("credentials/b"), "psk");
    t.match(m.run(scriptOf(secrets)), { code: 0 });
    writeFileSync(m.at("credentials/a"), "new");
    t.match(m.run(scriptOf({ wg0: secrets.wg0 })), { code: 0, stderr: "" });
    t.equal(readFileSync(at(m, "wg0"), "utf8"), "new");
    t.same(readdirSync(at(m, "")), ["wg0"]);
  });

  t.test("of a network itself: keys, and passwords as lines of one file", async (t) => {
    const m = machine(t);
    for (const name of ["a", "b", "c"]) writeFileSync(m.at(`credentials/${name}`), `it's ${name}`);
    const network: NonNullable<Spec["network"]> = {
      tunnels: { wg0: { mode: "wireguard", privateKey: { secretRef: "a" } } },
      wifis: {
        wlan0: {
          accessPoints: {
            home: { password: { secretRef: "c" } },
            work: { password: { secretRef: "b" } },
            open: {},
          },
        },
      },
    };
    const script = textAt(
      renderNetworkSecrets(concern({ network })),
      "systemd.services.firstlight-network-secrets",
      "script",
    ).replaceAll("systemd-network", "root");
    m.run(script);
    t.equal(readFileSync(at(m, "_a"), "utf8"), "it's a");
    t.equal(readFileSync(at(m, "_wireless"), "utf8"), "b=it's b\nc=it's c\n");
    t.equal(statSync(at(m, "_wireless")).mode & 0o777, 0o440);
  });

  t.test(
    "of profiles of NetworkManager: variables of one file that root alone reads",
    async (t) => {
      const m = machine(t);
      const odd = " a\\b \"c\" $HOME `id` 'd' #e;";
      writeFileSync(m.at("credentials/odd"), odd);
      writeFileSync(m.at("credentials/lines"), "one\npsk-flags=1");
      const point = (secretRef: string) => ({ password: { secretRef } });
      const network: NonNullable<Spec["network"]> = {
        renderer: "NetworkManager",
        wifis: { wlan0: { accessPoints: { odd: point("odd"), lines: point("lines") } } },
      };
      const networkRenderer = { renderer: "NetworkManager", managerRunsBy: undefined } as const;
      const script = textAt(
        renderNetworkSecrets(concern({ network }, { networkRenderer })),
        "systemd.services.firstlight-network-secrets",
        "script",
      );
      t.match(m.run(script), { code: 1, stderr: /lines is no single line/ });
      const file = at(m, "_network-manager");
      t.equal(statSync(file).mode & 0o777, 0o600);
      const [line = "", ...rest] = readFileSync(file, "utf8").trim().split("\n");
      t.same(rest, [], "nothing of the other one");
      const [, name = "", value = ""] = /^(FIRSTLIGHT_ODD_[0-9a-f]{8})="(.*)"$/.exec(line) ?? [];
      t.ok(name, line);
      t.equal(
        value.replaceAll(/\\([\\"$`])/g, "$1"),
        "\\sa\\\\b \"c\" $HOME `id` 'd' #e;",
        "as systemd reads it: a value of a keyfile",
      );
    },
  );

  t.test("that cannot be read keep no other back, and that is said", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("credentials/b"), "psk");
    t.match(m.run(scriptOf(secrets)), { code: 1, stderr: /not as asked: .*wg0/ });
    t.same(readdirSync(at(m, "")), ["psk"]);
  });
});

t.test("files", async (t) => {
  const me = process.getuid?.() === 0 ? {} : { owner: "root" };
  const scriptOf = (files: NonNullable<Spec["files"]>, more: Partial<Concern> = {}) =>
    textAt(renderFiles(concern({ files }, more)), "systemd.services.firstlight-files", "script");

  t.test("take the place of what is there at once, with their mode, at any path", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("credentials/s"), "secret");
    writeFileSync(m.at("text"), "text\n");
    const odd = "/opt/a b/'$(touch x)'/\"q\"\n-n";
    const script = scriptOf([
      { ...me, path: odd, content: "text\n" },
      { ...me, path: "/opt/s", secret: { secretRef: "s" }, mode: "0600" },
    ]);
    for (let round = 0; round < 2; round++)
      t.match(m.run(script, { FILE_0: m.at("text") }), { code: 0, stderr: "" });
    t.equal(readFileSync(m.at(odd), "utf8"), "text\n");
    t.equal(readFileSync(m.at("opt/s"), "utf8"), "secret");
    t.equal(statSync(m.at("opt/s")).mode & 0o777, 0o600);
    t.notOk(existsSync(m.at("x")));
    t.notOk(existsSync(m.at("opt/s.firstlight")), "nothing is left over");
  });

  t.test(
    "what is appended is appended once, and again for another instance or content",
    async (t) => {
      const m = machine(t);
      mkdirSync(m.at("opt"));
      writeFileSync(m.at("opt/log"), "there\n");
      writeFileSync(m.at("text"), "line\n");
      const append = { ...me, path: "/opt/log", content: "line\n", append: true };
      const run = (files: NonNullable<Spec["files"]>, more: Partial<Concern> = {}) =>
        t.match(
          m.run(scriptOf(files, more), {
            FILE_0: m.at("text"),
            FILE_1: m.at("text"),
            FILE_2: m.at("text"),
          }),
          { code: 0, stderr: "" },
        );
      run([append]);
      run([append]);
      t.equal(readFileSync(m.at("opt/log"), "utf8"), "there\nline\n");
      run([{ ...me, path: "/opt/other", content: "line\n" }, append]);
      t.equal(
        readFileSync(m.at("opt/log"), "utf8"),
        "there\nline\n",
        "its place in the list is no matter",
      );
      run([append, append]);
      t.equal(readFileSync(m.at("opt/log"), "utf8"), "there\nline\nline\n", "said twice is twice");
      run([append], { instanceId: "i-0002" });
      t.equal(readFileSync(m.at("opt/log"), "utf8"), "there\nline\nline\nline\n");
    },
  );

  t.test("a crash between appending and its stamp appends nothing twice", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt"));
    writeFileSync(m.at("text"), "line\n");
    const script = scriptOf([{ ...me, path: "/opt/log", content: "line\n", append: true }]);
    const [, scope, name] = /add "[^"]+ (\w{16})\)"\/(append-\w+)/.exec(script) ?? [];
    const stamp = `${scope}/${name}`;
    for (const [before, after] of [
      ["a\nline\n", "a\nline\n"],
      ["a\n", "a\nline\n"],
    ] as const) {
      writeFileSync(m.at("opt/log"), before);
      mkdirSync(path.dirname(m.at(`var/lib/firstlight/stamps/${stamp}`)), { recursive: true });
      writeFileSync(m.at(`var/lib/firstlight/stamps/${stamp}.begun`), "");
      t.match(m.run(script, { FILE_0: m.at("text") }), { code: 0 });
      t.equal(readFileSync(m.at("opt/log"), "utf8"), after);
      spawnSync("rm", ["-r", m.at("var/lib/firstlight/stamps")]);
    }
  });

  t.test("what is appended to a file of the spec is whole after each run", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("credentials/s"), "secret\n");
    writeFileSync(m.at("text"), "text\n");
    const script = scriptOf([
      { ...me, path: "/opt/log", content: "text\n" },
      { ...me, path: "/opt/log", secret: { secretRef: "s" }, append: true },
    ]);
    for (let round = 0; round < 2; round++)
      t.match(m.run(script, { FILE_0: m.at("text") }), { code: 0 });
    t.equal(readFileSync(m.at("opt/log"), "utf8"), "text\nsecret\n");
  });

  t.test("what is put once is put again where it is to be another, and only then", async (t) => {
    const m = machine(t);
    const file = { ...me, path: "/opt/conf", content: "declared\n", once: true };
    const put = (said: object = {}, more: Partial<Concern> = {}) => {
      const each = { ...file, ...said };
      writeFileSync(m.at("text"), each.content);
      t.match(m.run(scriptOf([each], more), { FILE_0: m.at("text") }), { code: 0, stderr: "" });
      return existsSync(m.at("opt/conf")) ? readFileSync(m.at("opt/conf"), "utf8") : "nothing";
    };
    const byHand = () => writeFileSync(m.at("opt/conf"), "by hand\n");
    t.equal(put(), "declared\n");
    byHand();
    t.equal(put(), "by hand\n", "what a person has made of it stays");
    unlinkSync(m.at("opt/conf"));
    t.equal(put(), "nothing", "what a person has removed stays away");
    t.equal(put({ content: "other\n" }), "other\n");
    byHand();
    t.equal(put({ content: "declared\n" }), "declared\n", "as in a generation before");
    byHand();
    t.equal(put({ mode: "0664" }), "declared\n");
    t.equal(statSync(m.at("opt/conf")).mode & 0o777, 0o664);
    byHand();
    t.equal(put({ mode: "0664" }, { instanceId: "i-0002" }), "declared\n");
    byHand();
    t.equal(put({ once: false }), "declared\n", "and always where that is not asked for");
    byHand();
    t.equal(put({ once: false }), "declared\n");
  });

  t.test(
    "what is put once is put where it belongs, and in each boot that forgets it",
    async (t) => {
      const m = machine(t);
      writeFileSync(m.at("text"), "text\n");
      const mounts = [{ device: "/dev/vdb", path: "/opt/data" }];
      const files = [{ ...me, path: "/opt/data/conf", content: "text\n", once: true }];
      const script = textAt(
        renderFiles(concern({ files, mounts })),
        "systemd.services.firstlight-files",
        "script",
      ).replaceAll("-q /opt", `-q ${m.at("opt")}`);
      const run = (text: string) =>
        t.match(m.run(text, { FILE_0: m.at("text") }), { code: 0, stderr: "" });
      run(script); // nothing is mounted: the file is below the mount
      spawnSync("rm", ["-r", m.at("opt/data")]);
      mkdirSync(m.at("opt/data"));
      writeFileSync(m.at("bin/mountpoint"), `#!/bin/sh\n[ "$2" = ${m.at("opt/data")} ]\n`);
      run(script);
      t.equal(readFileSync(m.at("opt/data/conf"), "utf8"), "text\n");
      writeFileSync(m.at("opt/data/conf"), "by hand\n");
      run(script);
      t.equal(readFileSync(m.at("opt/data/conf"), "utf8"), "by hand\n");

      const stamps = (file: string) => {
        const each = { path: file, content: "", once: true };
        const rendered = renderFiles(concern({ files: [each] }));
        const text = textAt(rendered, "systemd.services.firstlight-files", "script");
        return /once (.+)\/file-/.exec(text)?.[1];
      };
      for (const file of ["/run/a", "/tmp/a", "/var/run/a"])
        t.match(stamps(file), /^\/run\/firstlight\/stamps\/[0-9a-f]{16}$/, file);
      for (const file of ["/opt/a", "/runs/a"])
        t.match(stamps(file), /^"\$\(stampsFor \/\w+ [0-9a-f]{16}\)"$/, file);
      for (const file of ["/tmp/a", "/opt/a", "/run/a"])
        t.match(
          scriptOf([{ ...me, path: file, content: "text\n", append: true }]),
          `add "$(stampsFor ${file} `,
          `${file}: the disk may keep what was added`,
        );
    },
  );

  t.test("what lies in memory is done again in each boot", { skip: noMemory }, async (t) => {
    const m = machine(t);
    const memory = mkdtempSync("/dev/shm/firstlight-test-");
    t.teardown(() => rmSync(memory, { recursive: true }));
    mkdirSync(m.at("opt"));
    symlinkSync(memory, m.at("opt/memory"));
    writeFileSync(m.at("text"), "text\n");
    const files = ["memory/a/once", "memory/log", "disk/once", "disk/log"].map((name) => {
      const kind = name.endsWith("log") ? { append: true } : { once: true };
      return { ...me, path: `/opt/${name}`, content: "text\n", ...kind };
    });
    const env = Object.fromEntries(files.map((_, at) => [`FILE_${at}`, m.at("text")]));
    const run = () => t.match(m.run(scriptOf(files), env), { code: 0, stderr: "" });
    const read = () =>
      files.map((file) => {
        const at = m.at(file.path);
        return existsSync(at) ? readFileSync(at, "utf8") : "nothing";
      });
    const whole = files.map(() => "text\n");
    run();
    t.same(read(), whole);
    run();
    t.same(read(), whole, "once in a boot");
    unlinkSync(m.at("opt/memory/a/once"));
    unlinkSync(m.at("opt/disk/once"));
    run();
    t.same(read(), ["nothing", "text\n", "nothing", "text\n"], "removed by hand in it");
    // The power goes: what is in memory is gone, what is on the disk is there.
    for (const each of readdirSync(memory)) rmSync(path.join(memory, each), { recursive: true });
    rmSync(m.at("run"), { recursive: true });
    run();
    t.same(read(), ["text\n", "text\n", "nothing", "text\n"]);
  });

  t.test("under /etc it is no part of the system, which cannot be changed by hand", async (t) => {
    const file = { path: "/etc/app.conf", content: "a\n" };
    const options = (each: object) =>
      renderFiles(concern({ files: [{ ...file, ...each }] })).map((found) => found.path.join("."));
    t.same(options({}), ["environment.etc.app.conf.text"]);
    t.same(options({ once: true }), ["systemd.services.firstlight-files"]);
  });

  t.test("nothing is added to a file of the store, and that fails", async (t) => {
    const m = machine(t);
    writeFileSync(m.at("nix/store/file"), "of the system\n");
    writeFileSync(m.at("text"), "line\n");
    mkdirSync(m.at("opt"));
    symlinkSync(m.at("nix/store/file"), m.at("opt/log"));
    const script = scriptOf([{ ...me, path: "/opt/log", content: "line\n", append: true }]);
    const { code, stderr } = m.run(script, { FILE_0: m.at("text") });
    t.equal(code, 1);
    t.match(stderr, /is part of the system/);
    t.equal(readFileSync(m.at("nix/store/file"), "utf8"), "of the system\n");
  });
});

t.test("a file that cannot be as asked keeps no other back, and the unit fails", async (t) => {
  const m = machine(t);
  writeFileSync(
    m.at("bin/chown"),
    '#!/bin/sh\ncase $1 in ghost*) echo "chown: invalid user: $1" >&2; exit 1;; esac\n',
    { mode: 0o755 },
  );
  writeFileSync(m.at("credentials/s"), "secret");
  writeFileSync(m.at("text"), "text\n");
  const ghost = { owner: "ghost", group: "ghost" };
  const script = textAt(
    renderFiles(
      concern({
        files: [
          { ...ghost, path: "/opt/s", secret: { secretRef: "s" }, mode: "0640" },
          { ...ghost, path: "/opt/a b", content: "text\n", mode: "4755" },
          { ...ghost, path: "/opt/log", content: "text\n", append: true },
          { path: "/opt/text/inside", content: "text\n" },
          { path: "/opt/last", content: "text\n" },
        ],
      }),
    ),
    "systemd.services.firstlight-files",
    "script",
  );
  mkdirSync(m.at("opt"));
  writeFileSync(m.at("opt/text"), "no directory\n");
  const env = Object.fromEntries([1, 2, 3, 4].map((index) => [`FILE_${index}`, m.at("text")]));
  const { code, stderr } = m.run(script, env);
  t.equal(code, 1);
  const [last] = stderr.trim().split("\n").slice(-1);
  t.match(
    last,
    /not as asked: put 0640 .*\/opt\/s .*; put 4755 .*a b.*; add .*log.*; put .*inside/,
  );
  t.notMatch(last, "/opt/last");
  const modeOf = (file: string) => statSync(m.at(file)).mode & 0o7777;
  t.same(
    ["opt/s", "opt/a b", "opt/log", "opt/last"].map((file) => readFileSync(m.at(file), "utf8")),
    ["secret", "text\n", "text\n", "text\n"],
  );
  t.same(["opt/s", "opt/a b", "opt/last"].map(modeOf), [0o640, 0o755, 0o644]);
});

t.test("files whose secrets are too many for one unit are put by several in a row", async (t) => {
  const names = ["a", "b", "c", "d"];
  const credentials = new Map(
    names.map((name) => [
      name,
      { name, file: `${name}@1`, version: "1", encrypted: true, bytes: 400_000 },
    ]),
  );
  const files = names.map((name) => ({ path: `/opt/${name}`, secret: { secretRef: name } }));
  const later = { path: "/opt/e", secret: { secretRef: "a" }, defer: true };
  const again = { path: "/opt/f", secret: { secretRef: "d" } };
  const rendered = renderFiles(concern({ files: [...files, later, again] }, { credentials }));
  const texts = (name: string, ...keys: readonly string[]) => {
    let value = rendered.find((each) => each.path.at(-1) === name)?.value;
    for (const key of keys) value = value === undefined ? undefined : member(value, key);
    const items = value?.kind === "list" ? value.items : [];
    return items.map((each) => (each.kind === "string" ? each.parts.join("") : ""));
  };
  const loaded = (name: string) =>
    texts(name, "serviceConfig", "LoadCredentialEncrypted").map((line) => line.split(":")[0]);
  t.same(
    rendered.map((each) => each.path.at(-1)),
    ["firstlight-files-1", "firstlight-files", "firstlight-files-deferred"],
  );
  t.same(loaded("firstlight-files-1"), ["a", "b"]);
  t.same(loaded("firstlight-files"), ["c", "d"], "what two files share counts once");
  t.same(texts("firstlight-files", "after"), ["firstlight-files-1.service"]);
  t.match(textAt(rendered, "systemd.services.firstlight-files-1", "script"), /\nput .* \/opt\/b /);
});

t.test("a user cannot make root write where the user may not", { skip: notRoot }, async (t) => {
  const other = 65_534;
  const scriptOf = (files: NonNullable<Spec["files"]>) =>
    textAt(renderFiles(concern({ files })), "systemd.services.firstlight-files", "script");
  /** A machine with a home of the user, and a file of root with the directory that it is in. */
  const prepare = () => {
    const m = machine(t);
    for (const each of ["opt/home", "opt/root"]) mkdirSync(m.at(each), { recursive: true });
    chownSync(m.at("opt/home"), other, other);
    writeFileSync(m.at("opt/root/victim"), "of root\n", { mode: 0o600 });
    writeFileSync(m.at("text"), "text\n");
    return m;
  };
  const unharmed = (t: Test, m: Machine) => {
    t.same(readdirSync(m.at("opt/root")), ["victim"], "nothing more there");
    t.equal(readFileSync(m.at("opt/root/victim"), "utf8"), "of root\n");
    t.match(statSync(m.at("opt/root/victim")), { uid: 0, mode: 0o100600 });
  };
  /** Lets a program of the script do something in its directory first, as a user who is fast. */
  const beforeProgram = (m: Machine, name: string, text: string) =>
    writeFileSync(
      m.at(`bin/${name}`),
      `#!/bin/sh\nPATH=\${PATH#*:}; if cd ${m.at("opt/home")}; then ${text}; fi; cd "$OLDPWD"\nexec ${name} "$@"\n`,
      { mode: 0o755 },
    );
  const owned = { owner: "nobody", group: "nogroup", content: "text\n" };
  const put = scriptOf([{ ...owned, path: "/opt/home/a/file" }]);
  const add = scriptOf([{ ...owned, path: "/opt/home/log", append: true }]);
  const run = (m: Machine, script: string) => m.run(script, { FILE_0: m.at("text") });

  t.test("by a link in place of the temporary file", async (t) => {
    const m = prepare();
    mkdirSync(m.at("opt/home/a"));
    chownSync(m.at("opt/home/a"), other, other);
    symlinkSync(m.at("opt/root/victim"), m.at("opt/home/a/file.firstlight"));
    t.match(run(m, put), { code: 0, stderr: "" });
    unharmed(t, m);
    t.match(statSync(m.at("opt/home/a/file")), { uid: other, mode: 0o100644 });
  });

  t.test("by a link that takes the temporary file's place while it is written", async (t) => {
    for (const program of ["cat", "chown", "chmod", "mv"]) {
      const m = prepare();
      const swap = `for new in a/.firstlight-*; do rm -f "$new"; ln -s ${m.at("opt/root/victim")} "$new"; done`;
      beforeProgram(m, program, swap);
      run(m, put);
      unharmed(t, m);
    }
  });

  t.test("by a link on the way, to another directory or to the next", async (t) => {
    const m = prepare();
    for (const target of ["../root", "b", "."]) {
      mkdirSync(m.at("opt/home/b"), { recursive: true });
      symlinkSync(target, m.at("opt/home/a"));
      const { code, stderr } = run(m, put);
      t.not(code, 0, target);
      t.match(stderr, /a, on the way to .*, is a link that root did not make/);
      t.same(readdirSync(m.at("opt/home/b")), []);
      unharmed(t, m);
      unlinkSync(m.at("opt/home/a"));
    }
  });

  t.test("by a link that comes after the look at the way", async (t) => {
    const m = prepare();
    beforeProgram(m, "mkdir", "ln -s ../root a");
    t.not(run(m, put).code, 0);
    unharmed(t, m);
  });

  t.test("by a link, or another name of a file, where something is added", async (t) => {
    for (const make of [symlinkSync, linkSync]) {
      const m = prepare();
      make(m.at("opt/root/victim"), m.at("opt/home/log"));
      const { code, stderr } = run(m, add);
      t.equal(code, 1);
      t.match(stderr, /log is no file of its own, nothing is added to it/);
      unharmed(t, m);
    }
    const m = prepare();
    writeFileSync(m.at("opt/home/log"), "there\n");
    beforeProgram(m, "stat", `case "$*" in *%h*) ln -sf ${m.at("opt/root/victim")} log;; esac`);
    run(m, add);
    unharmed(t, m);
  });

  t.test("and root's own links are followed, also to what is added to", async (t) => {
    const m = prepare();
    mkdirSync(m.at("opt/data"));
    writeFileSync(m.at("opt/data/log"), "there\n", { mode: 0o640 });
    chownSync(m.at("opt/data/log"), 0, other);
    symlinkSync("data", m.at("opt/link"));
    symlinkSync("log", m.at("opt/data/latest"));
    const through = scriptOf([{ ...owned, path: "/opt/link/latest", append: true }]);
    t.match(run(m, through), { code: 0, stderr: "" });
    t.equal(readFileSync(m.at("opt/data/log"), "utf8"), "there\ntext\n");
    t.match(statSync(m.at("opt/data/log")), { uid: 0, gid: other, mode: 0o100640 });
    t.match(run(m, add), { code: 0, stderr: "" });
    t.match(statSync(m.at("opt/home/log")), { uid: other, mode: 0o100644 });
  });
});

t.test("directories that are made for a file", { skip: notRoot }, async (t) => {
  const [other, nogroup] = [65_534, 65_534];
  const owned = { owner: "nobody", group: "nogroup", content: "text\n" };
  const run = (m: Machine, files: NonNullable<Spec["files"]>) => {
    writeFileSync(m.at("text"), "text\n");
    const script = textAt(
      renderFiles(concern({ files })),
      "systemd.services.firstlight-files",
      "script",
    );
    return m.run(script, Object.fromEntries(files.map((_, at) => [`FILE_${at}`, m.at("text")])));
  };
  const ownerOf = (m: Machine, file: string) => {
    const { uid, gid, mode } = statSync(m.at(file));
    return [uid, gid, (mode & 0o777).toString(8)];
  };

  t.test("belong to its owner, each of them, and no other", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt/home"), { recursive: true });
    chownSync(m.at("opt/home"), other, nogroup);
    mkdirSync(m.at("opt/home/of-root"));
    const files = [
      { ...owned, path: "/opt/home/.config/app/conf" },
      { ...owned, path: "/opt/home/log/app/log", append: true },
      { ...owned, path: "/opt/home/of-root/file" },
      { ...owned, path: "/opt/new/a/b" },
      { path: "/opt/plain/a/b", content: "text\n" },
    ];
    for (let round = 0; round < 2; round++) {
      t.match(run(m, files), { code: 0, stderr: "" });
      for (const made of [
        "home/.config",
        "home/.config/app",
        "home/log",
        "home/log/app",
        "new",
        "new/a",
      ])
        t.same(ownerOf(m, `opt/${made}`), [other, nogroup, "755"], made);
      for (const kept of [".", "home/of-root", "plain", "plain/a"])
        t.same(ownerOf(m, `opt/${kept}`).slice(0, 2), [0, 0], kept);
    }
  });

  t.test("are root's where they are the system's, also where they are missing", async (t) => {
    const m = machine(t);
    const text = { ...owned, append: true };
    const files = [
      { ...owned, path: "/opt/file" },
      { ...owned, path: "/opt/app/conf" },
      { ...text, path: "/var/spool/cron/tabs/file" },
      { ...text, path: "/var/log/app/log" },
    ];
    t.match(run(m, files), { code: 0, stderr: "" });
    for (const root of ["opt", "var/spool", "var/spool/cron", "var/log"])
      t.same(ownerOf(m, root), [0, 0, "755"], root);
    for (const given of ["opt/file", "opt/app", "var/spool/cron/tabs", "var/log/app"])
      t.same(ownerOf(m, given).slice(0, 2), [other, nogroup], given);
  });

  t.test("are root's where there is no such owner", async (t) => {
    const m = machine(t);
    const { code, stderr } = run(m, [{ ...owned, owner: "no-such-user", path: "/opt/a/b/c" }]);
    t.equal(code, 1);
    t.match(stderr, /c cannot be given to no-such-user:nogroup, it is root's/);
    t.same(ownerOf(m, "opt/a/b"), [0, 0, "755"]);
  });

  t.test("are the ones that were made: nothing that was there changes hands", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt/home/of-root"), { recursive: true });
    chownSync(m.at("opt/home"), other, nogroup);
    writeFileSync(m.at("opt/home/of-root/secret"), "of root\n", { mode: 0o600 });
    // A user who is fast puts a directory of root in the place of the one that was just made.
    const swap = "rmdir a && mv of-root a";
    writeFileSync(
      m.at("bin/mkdir"),
      `#!/bin/sh\nPATH=\${PATH#*:}\nmkdir "$@"\nif cd ${m.at("opt/home")} && [ -d a ]; then ${swap}; fi\n`,
      { mode: 0o755 },
    );
    run(m, [{ ...owned, path: "/opt/home/a/file" }]);
    t.same(ownerOf(m, "opt/home/a").slice(0, 2), [0, 0]);
    t.equal(readFileSync(m.at("opt/home/a/secret"), "utf8"), "of root\n");
  });
});

t.test("homes on a mount", { skip: notRoot }, async (t) => {
  const users = {
    sys: { home: "/opt/home/sys" },
    daemon: { home: "/opt/home/deep/daemon" },
    bin: { home: "/opt/home/bin" },
  };
  const mounts = [{ device: "/dev/vdb1", path: "/opt/home/" }];
  const script = textAt(
    renderHomes(concern({ users, mounts })),
    "systemd.services.firstlight-homes",
    "script",
  );
  const modes = { MODE_0: "700", MODE_1: "750", MODE_2: "700" };
  const ownerOf = (m: Machine, file: string) => {
    const { uid, gid, mode } = statSync(m.at(`opt/home/${file}`));
    return [uid, gid, (mode & 0o777).toString(8)];
  };

  t.test("are made where they are missing, with owner, group and mode", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt/home"), { recursive: true });
    t.match(m.run(script, modes), { code: 0, stderr: "" });
    t.same(ownerOf(m, "sys"), [3, 3, "700"]);
    t.same(ownerOf(m, "deep/daemon"), [1, 1, "750"]);
    t.same(ownerOf(m, "deep"), [0, 0, "755"]);
    t.same(readdirSync(m.at("opt/home/sys")), []);
  });

  t.test("stay as they are where somebody has them", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt/home/sys"), { recursive: true, mode: 0o711 });
    chownSync(m.at("opt/home/sys"), 1234, 1234);
    mkdirSync(m.at("opt/home/bin"));
    writeFileSync(m.at("opt/home/bin/file"), "of root\n");
    t.match(m.run(script, modes), { code: 0, stderr: "" });
    t.same(ownerOf(m, "sys"), [1234, 1234, "711"]);
    t.same(ownerOf(m, "bin"), [2, 2, "700"], "the top of a new file system is the user's");
    t.same(ownerOf(m, "bin/file").slice(0, 2), [0, 0]);
  });

  t.test("are not made where others decide what lies there", async (t) => {
    const m = machine(t);
    mkdirSync(m.at("opt/home/deep"), { recursive: true });
    chownSync(m.at("opt/home/deep"), 1234, 1234);
    const { code, stderr } = m.run(script, modes);
    t.equal(code, 1);
    t.match(stderr, /the home of daemon is to be in a directory of others/);
    t.same(ownerOf(m, "sys"), [3, 3, "700"], "which keeps no other back");
    t.same(readdirSync(m.at("opt/home/deep")), []);
  });
});

t.test("commands", async (t) => {
  const command = (name: string, more: object = {}) => ({
    name,
    when: "late" as const,
    frequency: "instance" as const,
    script: { secretRef: name },
    ...more,
  });

  const own = { interpreter: "own" as const };
  const unitOf = (rendered: readonly Assignment[], name = "a") =>
    rendered.find(({ path: option }) => option.at(-1) === `firstlight-command-${name}`);
  const scriptOf = (rendered: readonly Assignment[], name = "a") =>
    textAt(rendered, `systemd.services.firstlight-command-${name}`, "script");
  const stampIn = (script: string) => /^stamp=(\S+)$/m.exec(script)?.[1] ?? "";
  const recorded = (m: Machine, stamp: string) =>
    JSON.parse(readFileSync(m.at(stamp), "utf8")) as Record<string, unknown>;
  const time = /^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;

  t.test("have their stamp before they run, and their unit does not start with one", async (t) => {
    const m = machine(t);
    const rendered = renderCommands(concern({ commands: [command("a")] }));
    const script = scriptOf(rendered);
    const stamp = stampIn(script);
    const unit = unitOf(rendered);
    t.match(unit === undefined ? undefined : member(unit.value, "unitConfig"), {
      entries: [{ path: ["ConditionPathExists"], value: { parts: [`!${stamp}`] } }],
    });
    writeFileSync(m.at("credentials/a"), `cp ${m.at(stamp)} ${m.at("before")}\nexit 7\n`);
    t.equal(m.run(script).code, 7, "what the script says is what the unit says");
    t.match(recorded(m, "before"), { v: 1, startedAt: time, endedAt: null, exitCode: null });
    t.match(recorded(m, stamp), { v: 1, bootId: String, endedAt: time, exitCode: 7 });
    writeFileSync(m.at("credentials/a"), "exit 0\n");
    t.equal(m.run(script).code, 0);
    t.match(recorded(m, stamp), { exitCode: 0 });
  });

  t.test(
    "with an interpreter of their own are run by it, from a copy for root alone",
    async (t) => {
      const m = machine(t);
      const script = scriptOf(renderCommands(concern({ commands: [command("a", own)] })));
      const env = { RUNTIME_DIRECTORY: path.join(m.root, "runtime") };
      mkdirSync(env.RUNTIME_DIRECTORY);
      writeFileSync(
        m.at("credentials/a"),
        '#!/usr/bin/env -S bash -e\nstat -c %a "$0"\nfalse\nexit 0\n',
        {
          mode: 0o400,
        },
      );
      t.equal(m.run(script, env).code, 1, "its first line counts, with the options in it");
      t.match(recorded(m, stampIn(script)), { exitCode: 1 });
      t.equal(statSync(path.join(env.RUNTIME_DIRECTORY, "script")).mode & 0o777, 0o700);
      t.not(m.run(script, { RUNTIME_DIRECTORY: path.join(m.root, "none") }).code, 0);
      t.match(recorded(m, stampIn(script)), { endedAt: time }, "also what cannot begin has ended");
    },
  );

  t.test("with a starter are given to it, as they would be started without it", async (t) => {
    const m = machine(t);
    const env = { RUNTIME_DIRECTORY: path.join(m.root, "runtime") };
    mkdirSync(env.RUNTIME_DIRECTORY);
    const starter = { starter: { secretRef: "nice" } };
    const rendered = (more: object) =>
      renderCommands(concern({ commands: [command("a", { ...starter, ...more })] }));
    writeFileSync(m.at("credentials/nice"), `echo "$#" >> ${m.at("said")}\nexec nice -n 7 "$@"\n`);
    writeFileSync(m.at("credentials/a"), `#!/bin/sh\nnice >> ${m.at("said")}\nexit 3\n`);
    for (const more of [own, {}]) {
      const script = scriptOf(rendered(more));
      t.equal(m.run(script, env).code, 3, "what the script says is what the unit says");
      t.match(recorded(m, stampIn(script)), { exitCode: 3 });
    }
    const nicer = Math.min(19, getPriority() + 7);
    const said = `1\n${nicer}\n2\n${nicer}\n`;
    t.equal(readFileSync(m.at("said"), "utf8"), said, "a program, or sh and its file");
    const credentials = JSON.stringify(unitOf(rendered({}))?.value);
    t.match(credentials, /nice:\/var\/lib\/firstlight\/credentials\/nice@/);
    const stamp = (more: object) =>
      stampIn(scriptOf(renderCommands(concern({ commands: [command("a", more)] }))));
    t.equal(stamp(starter), stamp({}), "another starter runs nothing again");
  });

  t.test("that are stopped or die say so", async (t) => {
    const m = machine(t);
    const script = scriptOf(renderCommands(concern({ commands: [command("a")] })));
    writeFileSync(m.at("credentials/a"), "kill -TERM $PPID\nkill -TERM $$\n");
    t.equal(m.run(script).code, 143);
    t.match(recorded(m, stampIn(script)), { exitCode: 143, endedAt: time });
    writeFileSync(m.at("credentials/a"), "kill -KILL $PPID\n");
    m.run(script);
    t.match(recorded(m, stampIn(script)), { exitCode: null, endedAt: null });
  });

  t.test(
    "run again for another instance and another text, and `once` on one machine",
    async (t) => {
      const stampOf = (frequency: string, instanceId: string, version: string, file = version) => {
        const secret = { name: "a", file: `a@${file}`, version, encrypted: false, bytes: 1 };
        const credentials = new Map([["a", secret]]);
        const commands = [command("a", { frequency })];
        return stampIn(
          scriptOf(renderCommands(concern({ commands }, { credentials, instanceId }))),
        );
      };
      const first = stampOf("instance", "i-1", "1");
      t.match(first, /^\/var\/lib\/firstlight\/stamps\/[0-9a-f]{16}\/a-[0-9a-f]{16}$/);
      t.equal(stampOf("instance", "i-1", "1"), first);
      t.equal(stampOf("instance", "i-1", "1", "sealed"), first, "however it lies on the disk");
      t.not(stampOf("instance", "i-2", "1"), first);
      t.not(stampOf("instance", "i-1", "2"), first);
      t.equal(stampOf("once", "i-1", "1"), stampOf("once", "i-2", "1"));
      t.not(stampOf("once", "i-1", "1"), stampOf("once", "i-1", "2"));
      t.match(stampOf("always", "i-1", "1"), /^\/run\//, "once in each boot");
    },
  );

  t.test(
    "late ones are started in order, one after another, whatever becomes of each",
    async (t) => {
      const m = machine(t);
      const rendered = renderCommands(
        concern({ commands: [command("b"), command("a"), command("b")] }),
      );
      writeFileSync(m.at("bin/systemctl"), `#!/bin/sh\necho "$*" >> ${m.at("calls")}\nexit 1\n`, {
        mode: 0o755,
      });
      t.equal(m.run(textAt(rendered, "systemd.services.firstlight-commands", "script")).code, 0);
      const calls = readFileSync(m.at("calls"), "utf8").trim().split("\n");
      t.same(
        [...new Set(calls)],
        [
          "start firstlight-command-b.service",
          "start firstlight-command-a.service",
          "start firstlight-command-b-2.service",
        ],
      );
    },
  );

  t.test("what runs at each boot has its stamp where it goes with the boot", async (t) => {
    const m = machine(t);
    const rendered = renderCommands(concern({ commands: [command("a", { frequency: "always" })] }));
    writeFileSync(m.at("credentials/a"), "exit 7\n");
    t.equal(m.run(textAt(rendered, "systemd.services.firstlight-command-a", "script")).code, 7);
    t.equal(readdirSync(m.at("run/firstlight/stamps")).length, 1, "also when it fails");
  });

  t.test("a switch starts the late ones again for another instance or text only", async (t) => {
    const triggers = (instanceId: string, digest: string, frequency = "instance") => {
      const secret = {
        name: "a",
        file: `a@${digest}`,
        version: digest,
        encrypted: false,
        bytes: 1,
      };
      const credentials = new Map([["a", secret]]);
      const rendered = renderCommands(
        concern({ commands: [command("a", { frequency })] }, { credentials, instanceId }),
      );
      const unit = rendered.find(({ path: option }) => option.at(-1) === "firstlight-commands");
      return unit === undefined ? undefined : member(unit.value, "restartTriggers");
    };
    const first = triggers("i-1", "1");
    t.match(first, { kind: "list" });
    t.same(triggers("i-1", "1"), first);
    t.notSame(triggers("i-2", "1"), first, "another instance");
    t.notSame(triggers("i-1", "2"), first, "another text");
    t.notSame(triggers("i-1", "2", "always"), triggers("i-1", "1", "always"));
    t.same(triggers("i-1", "1", "once"), triggers("i-2", "1", "once"), "once is once");
  });

  t.test("started again, nothing runs twice, and a unit that ran its old text runs", async (t) => {
    const m = machine(t);
    const commands = [
      command("old", { frequency: "always" }),
      command("busy"),
      command("new", { frequency: "always" }),
    ];
    const rendered = renderCommands(concern({ commands }));
    const scriptOf = (name: string) => textAt(rendered, `systemd.services.${name}`, "script");
    // As systemd: no start with a stamp, and one of a unit that is being started only waits for it.
    for (const { name } of commands) {
      const unit = `firstlight-command-${name}`;
      const stamp = stampIn(scriptOf(unit));
      writeFileSync(m.at(`credentials/${name}`), `echo ${name} >> ${m.at("ran")}\nexit 1\n`);
      const text = [
        `if [ -e ${m.at(stamp)} ]; then exit 0; fi`,
        `if [ -e ${m.at(name)} ]; then rm ${m.at(name)}; exit 0; fi`,
        scriptOf(unit).replaceAll(moved, (found) => m.root + found),
      ];
      writeFileSync(m.at(`${unit}.service`), text.join("\n"));
    }
    writeFileSync(m.at("bin/systemctl"), `#!/bin/sh\nexec sh -e ${m.root}/"$2"\n`, { mode: 0o755 });
    writeFileSync(m.at("busy"), "");
    for (let round = 0; round < 2; round++) t.equal(m.run(scriptOf("firstlight-commands")).code, 0);
    t.equal(readFileSync(m.at("ran"), "utf8"), "old\nbusy\nnew\n");
  });

  t.test("early ones are ordered among themselves", async (t) => {
    const early = { when: "early", frequency: "always" };
    const rendered = renderCommands(
      concern({ commands: [command("a", early), command("b", early)] }),
    );
    const second = rendered[1] === undefined ? undefined : member(rendered[1].value, "after");
    t.match(second, {
      items: [{ parts: ["firstlight-files.service"] }, { parts: ["firstlight-command-a.service"] }],
    });
  });
});
