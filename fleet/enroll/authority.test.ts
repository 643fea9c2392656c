import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { nodeKeyKinds } from "#protocol/enroll/node-key.ts";
import { makeAuthority, newKey, openAuthority } from "./authority.ts";
import { revocationList } from "./revocation-list.ts";

const directory = "/var/lib/firstlight-fleet";
const day = 24 * 3_600_000;

for (const kind of nodeKeyKinds) {
  t.test(`${kind}: what an authority issues is what OpenSSL takes, for its purpose only`, (t) => {
    const root = t.testdir();
    const io = fakeIo(root);
    t.equal(makeAuthority(io, directory, { fleet: "demo", kind }), true);
    t.equal(
      makeAuthority(io, directory, { fleet: "other", kind }),
      false,
      "one that is there stays",
    );
    const authority = openAuthority(io, directory);
    t.equal(authority.fleet, "demo");
    t.equal((io.files.stat(`${directory}/ca.key`)?.mode ?? 0) & 0o777, 0o600);
    const nowMs = io.clock.now();
    const nodes = nodeKeyKinds.map((each) =>
      authority.issueNode({
        node: "edge-17",
        publicKey: createPublicKey(newKey(each)),
        ...{ nowMs, days: 30 },
      }),
    );
    const server = authority.issueServer({
      names: ["enroll.example.org", "127.0.0.1", "::1"],
      publicKey: createPublicKey(newKey(kind)),
      nowMs,
    });
    const at = (name: string, text: string) => {
      writeFileSync(join(root, name), text);
      return join(root, name);
    };
    const ca = at("ca.pem", authority.certificate);
    const verify = (pem: string, ...more: string[]) => {
      const args = ["verify", "-x509_strict", "-attime", String(nowMs / 1000), ...more];
      return execFileSync("openssl", [...args, "-CAfile", ca, at("leaf.pem", pem)], {
        stdio: "pipe",
      }).toString();
    };
    for (const { pem, serial } of nodes) {
      t.match(verify(pem, "-purpose", "sslclient"), /OK/);
      t.throws(() => verify(pem, "-purpose", "sslserver"), "no node can stand in for a server");
      const x509 = new X509Certificate(pem);
      t.equal(x509.subject, "O=demo\nCN=edge-17");
      t.equal(x509.serialNumber, serial);
      t.equal(x509.ca, false);
      t.equal(Date.parse(x509.validTo), nowMs + 30 * day);
      t.equal(x509.verify(createPublicKey(authority.key)), true);
    }
    t.match(verify(server.pem, "-purpose", "sslserver", "-verify_ip", "127.0.0.1"), /OK/);
    t.match(verify(server.pem, "-verify_hostname", "enroll.example.org"), /OK/);
    t.throws(
      () => verify(server.pem, "-purpose", "sslclient"),
      "no server can stand in for a node",
    );

    const revoked = [{ serial: nodes[0]?.serial ?? "", revokedMs: nowMs }];
    const times = { nowMs, nextUpdateMs: nowMs + 90 * day };
    const crl = at("crl.pem", revocationList(authority, revoked, times));
    const checked = ["-crl_check", "-CRLfile", crl];
    t.throws(() => verify(nodes[0]?.pem ?? "", ...checked), /revoked/);
    t.match(verify(nodes[1]?.pem ?? "", ...checked), /OK/);
    const empty = at("empty.pem", revocationList(authority, [], times));
    t.match(verify(nodes[0]?.pem ?? "", "-crl_check", "-CRLfile", empty), /OK/);
    t.end();
  });
}

t.test("an authority that is not there, or whose key is another one's, says so", (t) => {
  const io = fakeIo(t.testdir());
  t.throws(() => openAuthority(io, directory), { code: "enroll/authority-missing" });
  makeAuthority(io, directory, { fleet: "demo", kind: "p256" });
  const other = newKey("p256").export({ type: "pkcs8", format: "pem" });
  io.files.write(`${directory}/ca.key`, other as string);
  t.throws(() => openAuthority(io, directory), { code: "enroll/authority-unreadable" });
  io.files.write(`${directory}/ca.key`, "no key");
  t.throws(() => openAuthority(io, directory), { code: "enroll/authority-unreadable" });
  t.end();
});
