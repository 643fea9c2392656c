import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import t from "tap";
import { openSqliteStore } from "./sqlite-store.ts";
import type { Admission, EnrolStore, PendingRecord } from "./store.ts";

const machine = { instanceId: "i-1", hardware: null, bootId: "boot-1" };

function admission(fingerprint: string, more: Partial<Admission> = {}, node = "edge-1"): Admission {
  const certificate = {
    serial: `S${fingerprint}`,
    node,
    fingerprint,
    pem: "PEM",
    issuedMs: 1000,
    notAfterMs: 9000,
  };
  return { certificate, machine, way: "token", once: "token:a", replaces: false, ...more };
}

function open(t: { testdir(): string; teardown(end: () => void): void }, file: string): EnrolStore {
  const store = openSqliteStore(file);
  t.teardown(() => store.close());
  return store;
}

t.test("what counts once counts once, for two servers of one database too", async (t) => {
  const file = join(t.testdir(), "enroll.db");
  const [one, two] = [open(t, file), open(t, file)];
  t.strictSame(await one.secret(), await two.secret(), "a challenge of one is good at the other");
  t.equal(await one.admit(admission("a", { nonce: "n" })), "token-unknown");
  await one.allowToken({ nonce: "n", node: "edge-1", expiresMs: 5000 });
  t.equal(await two.admit(admission("a", { nonce: "n" })), "admitted");
  t.equal(await one.admit(admission("b", { nonce: "n", replaces: true })), "token-used");
  t.equal(await one.admit(admission("c", { once: "ec2:i-1" })), "node-taken");
  t.equal(await one.key("c"), undefined, "what is refused has changed nothing");
  t.equal(await one.admit(admission("c", { once: "ec2:i-1" }, "edge-2")), "admitted");
  t.equal(await two.admit(admission("d", { once: "ec2:i-1" }, "edge-3")), "once-used");
  t.match(await two.nodes(), [{ name: "edge-1" }, { name: "edge-2" }]);
  const renewal = { ...admission("e").certificate, issuedMs: 2000 };
  t.equal(await one.renew({ certificate: renewal, previous: "a", machine }), true);
  t.equal(
    await two.renew({
      certificate: { ...renewal, serial: "S9", fingerprint: "f" },
      previous: "a",
      machine,
    }),
    false,
    "of two renewals at once one wins",
  );
  t.match(await two.key("a"), { isCurrent: false, node: { fingerprint: "e" } });
  t.match(await two.key("e"), { isCurrent: true, previous: "a" });
});

t.test("who takes a name takes it from the certificates before", async (t) => {
  const store = open(t, join(t.testdir(), "enroll.db"));
  await store.admit(admission("a"));
  const certificate = { ...admission("b").certificate, issuedMs: 2000 };
  t.equal(
    await store.admit({ ...admission("b", { once: "token:b", replaces: true }), certificate }),
    "admitted",
  );
  t.match(await store.revoked(3000), [{ serial: "Sa" }]);
  t.strictSame(await store.revoked(9000), []);
});

t.test("so many may wait, and so many from one place", async (t) => {
  const store = open(t, join(t.testdir(), "enroll.db"));
  const waits = (fingerprint: string, peer: string, nowMs = 0) => {
    const pending: PendingRecord = {
      ...{ fingerprint, code: fingerprint, machine, peer, expiresMs: nowMs + 100 },
      ...{ answer: "none", node: null },
    };
    return store.wait(pending, { nowMs, most: 3, mostOfPeer: 2 });
  };
  t.match(await waits("a", "192.0.2.1"), { code: "a" });
  t.match(await waits("b", "192.0.2.1"), { code: "b" });
  t.equal(await waits("c", "192.0.2.1"), undefined);
  t.match(await waits("a", "192.0.2.1"), { code: "a" }, "who waits already goes on");
  t.match(await waits("d", "192.0.2.2"), { code: "d" });
  t.equal(await waits("e", "192.0.2.3"), undefined);
  t.match(await waits("e", "192.0.2.3", 100), { code: "e" }, "what has expired makes room");
  t.equal(await store.answer("a", { answer: "approved", node: "x", nowMs: 100 }), undefined);
});

t.test("a database of a newer version is left alone, and says so", async (t) => {
  const file = join(t.testdir(), "enroll.db");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA user_version = 99");
  database.close();
  t.throws(() => openSqliteStore(file), { code: "enroll/settings-invalid" });
});
