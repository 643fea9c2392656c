import { randomBytes } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Fault } from "#core/fault.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import type {
  Admission,
  AdmissionAnswer,
  CertificateRecord,
  EnrolStore,
  KnownKey,
  MachineOfNode,
  NodeRecord,
  PendingRecord,
} from "./store.ts";

/** Format of the database, as its `user_version`. */
const formatVersion = 1;
const busyTimeoutMs = 5_000;
/** Boots of a node that are remembered. */
const keptBoots = 32;

const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE node (
    name TEXT PRIMARY KEY, fingerprint TEXT UNIQUE, instance_id TEXT, hardware TEXT, boot_id TEXT NOT NULL,
    way TEXT NOT NULL, enrolled_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
    not_before_ms INTEGER, contested TEXT
  ) WITHOUT ROWID;
  CREATE TABLE node_key (
    fingerprint TEXT PRIMARY KEY, node TEXT NOT NULL, previous TEXT
  ) WITHOUT ROWID;
  CREATE TABLE certificate (
    serial TEXT PRIMARY KEY, node TEXT NOT NULL, fingerprint TEXT NOT NULL, pem TEXT NOT NULL,
    issued_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX certificate_by_key ON certificate (fingerprint, issued_ms);
  CREATE TABLE boot (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, boot_id TEXT NOT NULL, UNIQUE (node, boot_id)
  );
  CREATE TABLE once (key TEXT PRIMARY KEY, node TEXT NOT NULL, fingerprint TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE token (
    nonce TEXT PRIMARY KEY, node TEXT NOT NULL, expires_ms INTEGER NOT NULL, used_by TEXT
  ) WITHOUT ROWID;
  CREATE TABLE pending (
    fingerprint TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, peer TEXT NOT NULL,
    expires_ms INTEGER NOT NULL, answer TEXT NOT NULL, node TEXT
  ) WITHOUT ROWID;
  PRAGMA user_version = ${formatVersion};
`;

type Row = Readonly<Record<string, unknown>>;

/**
 * The store in one file of SQLite (WAL, synchronous FULL). A file that is missing is made anew, and then
 * knows no token: nothing that was used before can be used again. Throws `enroll/settings-invalid` for a
 * database of a newer version.
 */
export function openSqliteStore(file: string): EnrolStore {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  prepare(database, file);
  const all = (sql: string, ...values: SQLInputValue[]) =>
    database.prepare(sql).all(...values) as readonly Row[];
  const one = (sql: string, ...values: SQLInputValue[]) =>
    database.prepare(sql).get(...values) as Row | undefined;
  const run = (sql: string, ...values: SQLInputValue[]) =>
    Number(database.prepare(sql).run(...values).changes);

  function transaction<T>(work: () => T): T {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }

  function nodeOf(row: Row | undefined): NodeRecord | undefined {
    if (row === undefined) return undefined;
    const name = String(row["name"]);
    const boots = all("SELECT boot_id FROM boot WHERE node = ? ORDER BY seq", name);
    return {
      name,
      fingerprint: row["fingerprint"] as string | null,
      machine: {
        instanceId: row["instance_id"] as string | null,
        hardware: row["hardware"] as string | null,
        bootId: String(row["boot_id"]),
      },
      boots: boots.map((each) => String(each["boot_id"])),
      way: String(row["way"]),
      enrolledMs: Number(row["enrolled_ms"]),
      seenMs: Number(row["seen_ms"]),
      notBeforeMs: row["not_before_ms"] as number | null,
      contested: row["contested"] as string | null,
    };
  }

  const findNode = (name: string) => nodeOf(one("SELECT * FROM node WHERE name = ?", name));

  function findKey(fingerprint: string): KnownKey | undefined {
    const key = one("SELECT * FROM node_key WHERE fingerprint = ?", fingerprint);
    const newest = one(
      "SELECT * FROM certificate WHERE fingerprint = ? ORDER BY issued_ms DESC, serial LIMIT 1",
      fingerprint,
    );
    const node = key && findNode(String(key["node"]));
    if (key === undefined || node === undefined || newest === undefined) return undefined;
    const isCurrent = node.fingerprint === fingerprint;
    const previous = key["previous"] as string | null;
    return { node, certificate: certificateOf(newest), isCurrent, previous };
  }

  function addCertificate({
    serial,
    node,
    fingerprint,
    pem,
    issuedMs,
    notAfterMs,
  }: CertificateRecord) {
    const values = [serial, node, fingerprint, pem, issuedMs, notAfterMs];
    run("INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?)", ...values);
  }

  function seeBoot(name: string, { instanceId, hardware, bootId }: MachineOfNode, nowMs: number) {
    // What was not known before is filled in; what differs is decided upon before.
    const set =
      "instance_id = coalesce(instance_id, ?), hardware = coalesce(hardware, ?), boot_id = ?, seen_ms = ?";
    run(`UPDATE node SET ${set} WHERE name = ?`, instanceId, hardware, bootId, nowMs, name);
    run("INSERT OR IGNORE INTO boot (node, boot_id) VALUES (?, ?)", name, bootId);
    const kept = "SELECT seq FROM boot WHERE node = ? ORDER BY seq DESC LIMIT ?";
    run(`DELETE FROM boot WHERE node = ? AND seq NOT IN (${kept})`, name, name, keptBoots);
  }

  function admit({ certificate, machine, way, once, nonce, replaces }: Admission): AdmissionAnswer {
    const { node: name, fingerprint, issuedMs } = certificate;
    if (one("SELECT 1 FROM once WHERE key = ?", once) !== undefined)
      return nonce === undefined ? "once-used" : "token-used";
    if (nonce !== undefined) {
      const token = one("SELECT used_by FROM token WHERE nonce = ?", nonce);
      if (token === undefined) return "token-unknown";
      if (token["used_by"] !== null) return "token-used";
      run("UPDATE token SET used_by = ? WHERE nonce = ?", fingerprint, nonce);
    }
    const before = findNode(name);
    if (before !== undefined && before.fingerprint !== null && !replaces) return "node-taken";
    run("INSERT INTO once VALUES (?, ?, ?)", once, name, fingerprint);
    // Certificates of whoever had the name do not count any more.
    const notBeforeMs = before === undefined ? null : issuedMs;
    run("DELETE FROM boot WHERE node = ?", name);
    run("DELETE FROM node WHERE name = ?", name);
    const { instanceId, hardware, bootId } = machine;
    run(
      "INSERT INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
      ...[name, fingerprint, instanceId, hardware, bootId, way, issuedMs, issuedMs, notBeforeMs],
    );
    run("INSERT INTO node_key VALUES (?, ?, NULL)", fingerprint, name);
    run("DELETE FROM pending WHERE fingerprint = ?", fingerprint);
    addCertificate(certificate);
    seeBoot(name, machine, issuedMs);
    return "admitted";
  }

  return {
    async secret() {
      return one("SELECT value FROM meta WHERE key = 'secret'")?.["value"] as Uint8Array;
    },
    async allowToken({ nonce, node, expiresMs }) {
      run("INSERT INTO token VALUES (?, ?, ?, NULL)", nonce, node, expiresMs);
    },
    async key(fingerprint) {
      return findKey(fingerprint);
    },
    async node(name) {
      return findNode(name);
    },
    async nodes() {
      return all("SELECT * FROM node ORDER BY name").flatMap((row) => nodeOf(row) ?? []);
    },
    async admit(admission) {
      database.exec("BEGIN IMMEDIATE");
      let answer: AdmissionAnswer | undefined;
      try {
        answer = admit(admission);
        return answer;
      } finally {
        database.exec(answer === "admitted" ? "COMMIT" : "ROLLBACK");
      }
    },
    async renew({ certificate, previous, machine }) {
      return transaction(() => {
        const { node: name, fingerprint, issuedMs } = certificate;
        const changed = run(
          "UPDATE node SET fingerprint = ? WHERE name = ? AND fingerprint = ?",
          ...[fingerprint, name, previous],
        );
        if (changed === 0) return false;
        run("INSERT OR IGNORE INTO node_key VALUES (?, ?, ?)", fingerprint, name, previous);
        addCertificate(certificate);
        seeBoot(name, machine, issuedMs);
        return true;
      });
    },
    async see(name, machine, nowMs) {
      transaction(() => seeBoot(name, machine, nowMs));
    },
    async contest(name, why) {
      run("UPDATE node SET contested = ? WHERE name = ? AND contested IS NULL", why, name);
    },
    async revoke(name, { nowMs, again }) {
      return transaction(() => {
        const newest = one("SELECT max(issued_ms) AS ms FROM certificate WHERE node = ?", name);
        const notBeforeMs = Math.max(nowMs, Number(newest?.["ms"] ?? 0) + 1);
        const changed = run("UPDATE node SET not_before_ms = ? WHERE name = ?", notBeforeMs, name);
        if (changed === 0) return false;
        if (!again) return true;
        run("UPDATE node SET fingerprint = NULL, contested = NULL WHERE name = ?", name);
        run("DELETE FROM once WHERE node = ? AND key NOT LIKE 'token:%'", name);
        return true;
      });
    },
    async revoked(nowMs) {
      const rows = all(
        `SELECT certificate.*, node.not_before_ms FROM certificate JOIN node ON node.name = certificate.node
          WHERE certificate.issued_ms < node.not_before_ms AND certificate.not_after_ms > ?
          ORDER BY certificate.serial`,
        nowMs,
      );
      return rows.map((row) => ({
        ...certificateOf(row),
        revokedMs: Number(row["not_before_ms"]),
      }));
    },
    async wait(pending, { nowMs, most, mostOfPeer }) {
      return transaction(() => {
        run("DELETE FROM pending WHERE expires_ms <= ?", nowMs);
        const { fingerprint, code, machine, peer, expiresMs } = pending;
        const there = one("SELECT * FROM pending WHERE fingerprint = ?", fingerprint);
        if (there !== undefined) return pendingOf(there);
        const waiting = Number(one("SELECT count(*) AS n FROM pending")?.["n"]);
        const ofPeer = one("SELECT count(*) AS n FROM pending WHERE peer = ?", peer);
        if (waiting >= most || Number(ofPeer?.["n"]) >= mostOfPeer) return undefined;
        const values = [fingerprint, code, JSON.stringify(machine), peer, expiresMs, "none"];
        run("INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, NULL)", ...values);
        return pending;
      });
    },
    async pending(nowMs) {
      return all("SELECT * FROM pending WHERE expires_ms > ? ORDER BY expires_ms", nowMs).map(
        pendingOf,
      );
    },
    async answer(code, { answer, node, nowMs }) {
      return transaction(() => {
        const changed = run(
          "UPDATE pending SET answer = ?, node = ? WHERE code = ? AND expires_ms > ?",
          ...[answer, node, code, nowMs],
        );
        const row = one("SELECT * FROM pending WHERE code = ?", code);
        return changed === 0 || row === undefined ? undefined : pendingOf(row);
      });
    },
    close: () => database.close(),
  };
}

function prepare(database: DatabaseSync, file: string): void {
  const read = () =>
    Number(
      (database.prepare("PRAGMA user_version").get() as Row | undefined)?.["user_version"] ?? 0,
    );
  if (read() > formatVersion)
    throw new Fault("enroll/settings-invalid", `${file} was made by a newer firstlight`);
  if (read() === formatVersion) return;
  database.exec("BEGIN IMMEDIATE");
  // Once more inside of the transaction: another process may have made them meanwhile.
  if (read() === 0) {
    database.exec(tables);
    database.prepare("INSERT INTO meta VALUES ('secret', ?)").run(randomBytes(32));
  }
  database.exec("COMMIT");
}

function certificateOf(row: Row): CertificateRecord {
  return {
    serial: String(row["serial"]),
    node: String(row["node"]),
    fingerprint: String(row["fingerprint"]),
    pem: String(row["pem"]),
    issuedMs: Number(row["issued_ms"]),
    notAfterMs: Number(row["not_after_ms"]),
  };
}

function pendingOf(row: Row): PendingRecord {
  return {
    fingerprint: String(row["fingerprint"]),
    code: String(row["code"]),
    machine: JSON.parse(String(row["machine"])) as EnrollRequest["machine"],
    peer: String(row["peer"]),
    expiresMs: Number(row["expires_ms"]),
    answer: row["answer"] as PendingRecord["answer"],
    node: row["node"] as string | null,
  };
}
