import t from "tap";
import { isPublicKeyLine } from "./public-key-line.ts";

/** A key of this type: its name in the form of the wire, and a few bytes. */
function key(type: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(4)]).toString("base64");
}

t.test("a line that sshd may take for a key", async (t) => {
  for (const type of [
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "sk-ssh-ed25519@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "ssh-future@example.org",
  ])
    t.ok(isPublicKeyLine(`${type} ${key(type)} me@example.org`), type);
  const rsa = `ssh-rsa ${key("ssh-rsa")}`;
  t.ok(isPublicKeyLine(rsa), "without a comment");
  t.ok(isPublicKeyLine(`cert-authority,from="192.0.2.0/24, ::1" ${rsa}`));
  t.ok(isPublicKeyLine(`command="echo \\"a b\\"",no-pty\t${rsa}`));
});

t.test("a line that it refuses", async (t) => {
  const rsa = key("ssh-rsa");
  for (const line of [
    "ssh-rsa notakey",
    "ssh-rsa",
    rsa,
    `ssh-ed25519 ${rsa}`,
    `ssh-rsa ${rsa.slice(0, 8)}`,
    `ssh-rsa ${rsa.slice(0, 12)}…`,
    `command="echo ssh-rsa ${rsa}`,
    `no-pty no-x11 ssh-rsa ${rsa}`,
    `${'"'.repeat(50_000)}x`,
  ])
    t.notOk(isPublicKeyLine(line), line.slice(0, 80));
});
