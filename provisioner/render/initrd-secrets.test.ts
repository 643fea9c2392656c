import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import { renderInitrdSecrets } from "./initrd-secrets.ts";
import { credentialsOf, fileOf, plainBase, tryRender } from "./try-render.ts";

const initrdSecrets = {
  "/keys/data.key": { secretRef: "data-key" },
  "/keys/same.key": { secretRef: "data-key" },
  "/root/.ssh/id": { secretRef: "id" },
};

t.test(
  "an initrd has its secrets from where they are revealed, and is another with others",
  (t) => {
    const credentials = credentialsOf({ version: 1, initrdSecrets });
    const render = (version: string) => {
      const key = credentials.get("data-key");
      if (key === undefined) throw new Error("expected the secret of the test");
      const others = new Map([...credentials, ["data-key", { ...key, version }]]);
      return tryRender({ initrdSecrets }, { credentials: others });
    };
    const one = fileOf(render("1111"), "firstlight/instance.nix");
    t.match(one, '"/keys/data.key" = "/run/firstlight/initrd/data-key@0123456789abcdef";');
    t.match(one, '"/root/.ssh/id" = "/run/firstlight/initrd/id@0123456789abcdef";');
    for (const option of ["extraFiles", "systemd.contents"]) {
      t.match(one, `boot.initrd.${option}."/etc/firstlight-secrets"`);
    }
    const other = fileOf(render("2222"), "firstlight/instance.nix");
    t.equal(one.replaceAll("1111", "2222"), other);
    t.not(one, other);
    t.end();
  },
);

t.test("that they lie in the clear is said", (t) => {
  const { findings } = tryRender({ initrdSecrets });
  t.match(findings, [{ level: "warning", code: "render/initrd-in-clear", path: "initrdSecrets" }]);
  t.equal(findings.length, 1);
  t.end();
});

t.test("a boot loader that brings none is an error", (t) => {
  const bootLoader = "extlinux";
  const platform = { fileSystems: [], swaps: [], left: [], bootLoader, esp: null } as const;
  const { findings } = tryRender({ initrdSecrets }, { base: { ...plainBase, platform } });
  t.match(
    findings.filter(({ level }) => level === "error"),
    [{ code: "render/no-initrd-secrets", path: "initrdSecrets" }],
  );
  t.end();
});

/** The literal texts of the program, in order; what it is made of lies in the store. */
function textsOf(expr: NixExpr | undefined): string {
  if (expr?.kind === "string")
    return expr.parts.map((part) => (typeof part === "string" ? part : "")).join("");
  if (expr?.kind === "operator") return expr.operands.map(textsOf).join("");
  return expr?.kind === "call" ? textsOf(expr.args.at(-1)) : "";
}

/** A machine whose directories lie below a temporary one. */
function machine(t: Test, encrypted: boolean) {
  const root = t.testdir({ bin: {}, "var/lib/firstlight/credentials": {}, run: {} });
  const at = (name: string) => path.join(root, name);
  mkdirSync(at("var/lib/firstlight/credentials"), { recursive: true });
  // A mount would need root, and would be one of the host.
  for (const name of ["mount", "umount", "mountpoint"])
    writeFileSync(at(`bin/${name}`), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const assignments = renderInitrdSecrets({
    spec: { version: 1, initrdSecrets },
    base: plainBase,
    credentials: credentialsOf({ version: 1, initrdSecrets }, encrypted),
    origins: new Map(),
    instanceId: "i-0001",
    networkRenderer: { renderer: "networkd", managerRunsBy: undefined },
    findings: [],
  });
  const program = assignments.find((each) => each.path.includes("firstlight/initrd-secrets"));
  const text = textsOf(program?.value)
    .replace(/^export PATH=.*$/m, "")
    .replaceAll(/(?<![\w/.-])\/(run|var)(?=\/)/g, (found) => root + found);
  const env = {
    PATH: `${at("bin")}:${process.env["PATH"]}`,
    SYSTEMD_CREDENTIAL_SECRET: at("host-key"),
  };
  return {
    revealed: at("run/firstlight/initrd"),
    run: (action: string) =>
      spawnSync("bash", ["--norc", "-c", text, "initrd-secrets", action], {
        encoding: "utf8",
        env,
      }),
    store(name: string, value: string) {
      const file = at(`var/lib/firstlight/credentials/${name}@0123456789abcdef`);
      if (!encrypted) return writeFileSync(file, value);
      const args = ["encrypt", "--with-key=host", `--name=${name}`, "-", file];
      const sealed = spawnSync("systemd-creds", args, { input: value, env, encoding: "utf8" });
      if (sealed.status !== 0) throw new Error(sealed.stderr);
    },
  };
}

const hasSystemdCreds = spawnSync("systemd-creds", ["--version"]).error === undefined;
const isRoot = process.getuid?.() === 0;
for (const encrypted of [false, true]) {
  const skip = encrypted && !(hasSystemdCreds && isRoot) ? "needs systemd-creds and root" : false;
  t.test(
    `${encrypted ? "encrypted" : "plain"} ones are there until they are hidden`,
    { skip },
    (t) => {
      const m = machine(t, encrypted);
      m.store("data-key", "key\0bytes\n");
      m.store("id", "identity");
      t.match(m.run("reveal"), { status: 0, stderr: "" });
      t.match(m.run("reveal"), { status: 0, stderr: "" }, "also a second time");
      const file = path.join(m.revealed, "data-key@0123456789abcdef");
      t.equal(readFileSync(file, "utf8"), "key\0bytes\n");
      t.equal(statSync(file).mode & 0o777, 0o600);
      t.equal(statSync(m.revealed).mode & 0o777, 0o700);
      t.equal(readdirSync(m.revealed).length, 2);
      t.match(m.run("hide"), { status: 0, stderr: "" });
      t.notOk(existsSync(m.revealed));
      t.match(m.run("hide"), { status: 0, stderr: "" }, "also where there is nothing");
      t.end();
    },
  );
}

t.test("one that cannot be read is no end of it, but a fault", (t) => {
  const m = machine(t, false);
  m.store("id", "identity");
  t.not(m.run("reveal").status, 0);
  t.notOk(existsSync(path.join(m.revealed, "data-key@0123456789abcdef")));
  t.end();
});
