import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { faultOfPrivateKey, type HostKeyKind } from "./host-key.ts";

/** A key as ssh-keygen makes it. */
function made(dir: string, ...options: readonly string[]): string {
  const file = join(dir, `key${options.join("")}`);
  execFileSync("ssh-keygen", ["-q", "-f", file, "-N", "", ...options]);
  return readFileSync(file, "utf8");
}

t.test("what ssh-keygen makes is taken, and known by its kind", async (t) => {
  const dir = t.testdir();
  for (const kind of ["ed25519", "ecdsa"] as const) {
    const text = made(dir, "-t", kind);
    t.equal(faultOfPrivateKey(text, kind), undefined, kind);
    t.match(faultOfPrivateKey(text, "rsa"), /^one of the type (ssh|ecdsa)-/);
  }
  t.equal(faultOfPrivateKey(made(dir, "-t", "ecdsa", "-m", "PEM"), "ecdsa"), undefined);
});

t.test("a key that sshd could not load is told apart", async (t) => {
  const dir = t.testdir();
  const locked = "one with a passphrase";
  t.equal(faultOfPrivateKey(made(dir, "-t", "ed25519", "-N", "hunter2"), "ed25519"), locked);
  t.equal(
    faultOfPrivateKey(made(dir, "-t", "ecdsa", "-m", "PEM", "-N", "hunter2"), "ecdsa"),
    locked,
  );
  const whole = made(dir, "-t", "ed25519", "-C", "whole").split("\n");
  const cases: readonly (readonly [string, HostKeyKind, RegExp])[] = [
    ["", "rsa", /begin and end/],
    [whole.slice(0, -3).join("\n"), "ed25519", /begin and end/],
    [
      [whole[0], whole[1]?.slice(0, 40), ...whole.slice(-2)].join("\n"),
      "ed25519",
      /cut or changed/,
    ],
    [[whole[0], "AAAA", ...whole.slice(-2)].join("\n"), "ed25519", /cut or changed/],
  ];
  for (const [text, kind, fault] of cases) t.match(faultOfPrivateKey(text, kind), fault);
});

t.test("a megabyte of blanks takes no time", async (t) => {
  const text = `-----BEGIN RSA PRIVATE KEY-----\n${" ".repeat(1_000_000)}\nx`;
  t.match(faultOfPrivateKey(text, "rsa"), /begin and end/);
});
