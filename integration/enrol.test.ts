import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { cpSync } from "node:fs";
import https from "node:https";
import { connect } from "node:tls";
import t from "tap";
import { makeAuthority, openAuthority } from "#fleet/enroll/authority.ts";
import { makeChallenge } from "#fleet/enroll/challenges.ts";
import { openSqliteStore } from "#fleet/enroll/sqlite-store.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import { maxRequestBytes } from "#protocol/enroll/limits.ts";
import { keyFingerprint, signRequest } from "#protocol/enroll/node-key.ts";
import { temporaryDirectory } from "./brokers.ts";
import {
  type EnrolMachine,
  fleetDirectory,
  keyIn,
  marksOf,
  startEnrolment,
} from "./enrol-world.ts";

const day = 24 * 3_600_000;

/** What is installed, after holding certificate and key against each other. */
function installed(machine: EnrolMachine): X509Certificate {
  const certificate = new X509Certificate(machine.identity() ?? "");
  if (!certificate.checkPrivateKey(keyIn(machine.identity()))) throw new Error("another key");
  return certificate;
}

t.test(
  "a token gives a certificate of the node's name, once, whatever is lost on the way",
  async (t) => {
    const world = await startEnrolment(t);
    const machine = world.machine({ via: ["token"], token: await world.token({}) });
    // Each request is lost in turn, before the server has it and after it has answered.
    for (const fault of ["before", "after"] as const) {
      for (const path of ["/challenge", "/claim"]) {
        machine.fault = ({ url }) => (url.endsWith(path) ? fault : undefined);
        await t.rejects(machine.run(), { code: "enroll/unreachable" }, `${path} lost ${fault}`);
        t.equal(machine.identity(), undefined);
      }
    }
    t.equal(machine.state()?.next?.step, "claim-sent");
    machine.fault = () => undefined;
    t.match(await machine.run(), { kind: "enrolled", node: "edge-17", fleet: "demo" });
    const certificate = installed(machine);
    t.equal(certificate.subject, "O=demo\nCN=edge-17");
    t.equal(Date.parse(certificate.validTo) - world.clock.now() <= 30 * day, true);
    t.equal(
      (machine.io.files.stat("/run/firstlight/enroll/identity.pem")?.mode ?? 0) & 0o777,
      0o400,
    );
    const [node, ...others] = await world.deps.store.nodes();
    t.match(node, { name: "edge-17", way: "token", contested: null });
    t.equal(others.length, 0);
    const asked = machine.sent.length;
    t.match(await machine.run(), { kind: "enrolled" });
    t.equal(machine.sent.length, asked, "with a certificate that is good nothing is asked");
    const status = machine.io.files.readText("/run/firstlight/enrolment.json") ?? "";
    t.match(JSON.parse(status), { state: "enrolled", node: "edge-17", fleet: "demo" });
  },
);

t.test("a token counts for one key, one machine, and only while the server knows it", async (t) => {
  const world = await startEnrolment(t);
  const token = await world.token({});
  t.match(await world.machine({ via: ["token"], token }).run(), { kind: "enrolled" });
  const refused = async (code: string, more: Parameters<typeof world.machine>[0]) => {
    const machine = world.machine({ via: ["token"], ...more });
    t.match(await machine.run(), { kind: "refused", fault: { code } }, code);
    t.equal(machine.identity(), undefined);
    t.equal(machine.state()?.refused?.code, code);
  };
  await refused("enroll/token-used", { token });
  await refused("enroll/token-other", {
    token: await world.token({ node: "edge-18" }),
    instanceId: "i-0123456789abcdef0",
  });
  await refused("enroll/token-unknown", { token: await world.token({ node: "edge-18" }, false) });
  const old = await world.token({ node: "edge-18" });
  world.clock.advance(day);
  await refused("enroll/token-expired", { token: old });
  await refused("enroll/token-invalid", { token: `${old}x` });
  await refused("enroll/no-claim", {});
  t.equal((await world.deps.store.nodes()).length, 1);
});

t.test(
  "a key is of the kind that the settings say, and is renewed when it is asked for",
  async (t) => {
    const world = await startEnrolment(t);
    const machine = world.machine({ via: ["token"], token: await world.token({}), key: "p256" });
    t.match(await machine.run(), { kind: "enrolled" });
    const first = installed(machine);
    t.match(first.publicKey.asymmetricKeyDetails, { namedCurve: "prime256v1" });
    t.match(await machine.run({ renews: true }), { kind: "enrolled", node: "edge-17" });
    t.not(installed(machine).serialNumber, first.serialNumber);
  },
);

t.test("a way that the settings do not name is closed", async (t) => {
  const world = await startEnrolment(t, { code: {} });
  const machine = world.machine({ via: ["token"], token: await world.token({}) });
  t.match(await machine.run(), { fault: { code: "enroll/way-closed" } });
  const other = await startEnrolment(t, { token: {} });
  t.match(await other.machine({ via: ["code"] }).run(), { fault: { code: "enroll/way-closed" } });
  t.strictSame(await other.deps.store.pending(other.clock.now()), []);
});

t.test("a server that lost its database takes no token that was used before", async (t) => {
  const world = await startEnrolment(t);
  const token = await world.token({});
  await world.machine({ via: ["token"], token }).run();
  const fresh = openSqliteStore(world.io.files.hostPath(`${fleetDirectory}/fresh.db`));
  t.teardown(() => fresh.close());
  Object.assign(world.deps.store, fresh, { close: world.deps.store.close });
  t.match(await world.machine({ via: ["token"], token }).run(), {
    fault: { code: "enroll/token-unknown" },
  });
});

t.test("a person approves a code, or denies it", async (t) => {
  const world = await startEnrolment(t);
  const { store } = world.deps;
  const machine = world.machine({ via: ["token", "code"] });
  const first = await machine.run();
  t.match(first, { kind: "pending", code: /^[0-9A-Z]{4}-[0-9A-Z]{4}$/ });
  t.strictSame(await machine.run(), first, "the code stays the same");
  const code = first.kind === "pending" ? first.code : "";
  t.match(await store.pending(world.clock.now()), [{ code, machine: { instanceId: /^i-/ } }]);
  const nowMs = world.clock.now();
  t.equal(await store.answer("0000-0000", { answer: "approved", node: "x", nowMs }), undefined);
  await store.answer(code, { answer: "approved", node: "edge-3", nowMs });
  t.match(await machine.run(), { kind: "enrolled", node: "edge-3" });
  t.strictSame(await store.pending(world.clock.now()), []);

  const taken = world.machine({ via: ["code"], serial: "S2", instanceId: "i-2" });
  const second = await taken.run();
  const other = second.kind === "pending" ? second.code : "";
  await store.answer(other, { answer: "approved", node: "edge-3", nowMs });
  t.match(await taken.run(), { fault: { code: "enroll/node-taken" } }, "a name is one node's");
  await store.answer(other, { answer: "denied", node: null, nowMs });
  t.match(await taken.run(), { fault: { code: "enroll/denied" } });
  world.clock.advance(1_800_001);
  const third = await taken.run();
  t.equal(third.kind, "pending");
  t.not(third.kind === "pending" && third.code, other, "half an hour later it is another code");
});

t.test(
  "a certificate is renewed at half of its time by a new key, and 60 days after its end",
  async (t) => {
    const world = await startEnrolment(t);
    const machine = world.machine({ via: ["token"], token: await world.token({}) });
    await machine.run();
    const first = installed(machine);
    world.clock.advance(14 * day);
    await machine.run();
    t.equal(installed(machine).serialNumber, first.serialNumber, "not yet due");
    world.clock.advance(4.1 * day);
    machine.fault = ({ url }) => (url.endsWith("/claim") ? "after" : undefined);
    await t.rejects(machine.run(), { code: "enroll/unreachable" });
    t.equal(
      installed(machine).serialNumber,
      first.serialNumber,
      "the old one is used until the new one is there",
    );
    machine.fault = () => undefined;
    t.match(await machine.run(), { kind: "enrolled", node: "edge-17" });
    const second = installed(machine);
    t.not(
      second.publicKey.export({ format: "der", type: "spki" }).toString("hex"),
      first.publicKey.export({ format: "der", type: "spki" }).toString("hex"),
    );
    t.equal(
      machine.io.files.list("/var/lib/firstlight/enroll").filter((name) => name.startsWith("key-"))
        .length,
      1,
    );

    world.clock.advance(90 * day); // 60 days after its end
    t.match(await machine.run(), { kind: "enrolled", node: "edge-17" });
    t.not(installed(machine).serialNumber, second.serialNumber);
    t.equal((await world.deps.store.nodes()).length, 1);

    world.clock.advance(30 * day + 91 * day);
    t.match(
      await machine.run(),
      { fault: { code: "enroll/token-expired" } },
      "after 90 days a new claim is needed",
    );
    machine.io.files.write("/etc/firstlight/token", await world.token({}));
    t.match(await machine.run(), { kind: "enrolled", node: "edge-17" });
    t.equal((await world.deps.store.nodes()).length, 1);
  },
);

t.test(
  "a copied disk enrols anew in the other machine, and the first one keeps its name",
  async (t) => {
    const world = await startEnrolment(t);
    const original = world.machine({ via: ["token", "code"], token: await world.token({}) });
    await original.run();
    const serial = installed(original).serialNumber;
    const root = temporaryDirectory(t, "firstlight-enrol-");
    cpSync(original.root, root, { recursive: true });
    const copy = world.machine({ via: ["token", "code"], root, serial: "S2", instanceId: "i-2" });
    t.match(await copy.run(), { kind: "pending" }, "nothing of the first one is used");
    t.equal(copy.identity(), undefined);
    t.notMatch(
      copy.io.files.list("/var/lib/firstlight/enroll").join(),
      keyFingerprint(keyIn(original.identity())),
    );
    t.match(await original.run(), { kind: "enrolled" });
    t.equal(installed(original).serialNumber, serial);
    t.match(await world.deps.store.nodes(), [{ name: "edge-17", contested: null }]);
  },
);

t.test(
  "two machines that say the same of themselves are told apart by their boots, or by their keys",
  async (t) => {
    for (const [how, bootId] of [
      ["boots", "boot-2"],
      ["keys", "boot-1"],
    ] as const) {
      const world = await startEnrolment(t);
      const original = world.machine({ via: ["token"], token: await world.token({}) });
      await original.run();
      const root = temporaryDirectory(t, "firstlight-enrol-");
      cpSync(original.root, root, { recursive: true });
      const copy = world.machine({ via: ["token"], root, bootId });
      world.clock.advance(18.1 * day);
      t.match(await copy.run(), { kind: "enrolled" }, `${how}: nobody can know which one it is`);
      const contested = { kind: "refused", fault: { code: "enroll/contested" } };
      const before = original.identity();
      t.match(await original.run(), contested, "the second one is not believed");
      t.equal(original.identity(), before, "and keeps what it has to its end");
      t.match(await world.deps.store.nodes(), [{ contested: /./ }]);
      world.clock.advance(18.1 * day);
      t.match(await copy.run(), contested, "nor is the first one any more");
      // A person lets both begin anew; who has a token has the name.
      await world.deps.store.revoke("edge-17", { nowMs: world.clock.now(), again: true });
      original.io.files.write("/etc/firstlight/token", await world.token({}));
      t.match(await original.run(), { kind: "enrolled", node: "edge-17" });
      t.match(await copy.run(), { kind: "refused" });
    }
  },
);

t.test("what is revoked does not renew, and is on the list", async (t) => {
  const world = await startEnrolment(t);
  const { store } = world.deps;
  const machine = world.machine({ via: ["token"], token: await world.token({}) });
  await machine.run();
  const { serialNumber } = installed(machine);
  t.strictSame(await store.revoked(world.clock.now()), []);
  t.equal(await store.revoke("edge-17", { nowMs: world.clock.now(), again: false }), true);
  t.equal(await store.revoke("edge-99", { nowMs: world.clock.now(), again: false }), false);
  t.match(await store.revoked(world.clock.now()), [{ serial: serialNumber, node: "edge-17" }]);
  world.clock.advance(18.1 * day);
  t.match(await machine.run(), { kind: "refused" });
  t.equal(machine.identity(), undefined, "and is not used any more");
  world.clock.advance(13 * day);
  t.strictSame(await store.revoked(world.clock.now()), [], "what has expired need not be listed");
  machine.io.files.write("/etc/firstlight/token", await world.token({}));
  t.match(await machine.run(), { kind: "enrolled", node: "edge-17" });
});

t.test(
  "only the server of the pinned authority is talked to, and only its certificates are taken",
  async (t) => {
    const world = await startEnrolment(t);
    makeAuthority(world.io, "/other", { fleet: "demo", kind: "p256" });
    const other = openAuthority(world.io, "/other");
    const token = await world.token({});
    const machine = world.machine({ via: ["token"], token, ca: other.certificate });
    await t.rejects(machine.run(), { code: "enroll/untrusted" });
    const named = world.machine({
      via: ["token"],
      token,
      url: world.url.replace("localhost", "127.0.0.1"),
    });
    await t.rejects(
      named.run(),
      { code: "enroll/untrusted" },
      "a name that the certificate does not have",
    );
    // Who carries the bytes changes them: a certificate of somebody else, for the right key.
    const issueNode = world.deps.authority.issueNode;
    Object.assign(world.deps.authority, { issueNode: other.issueNode });
    const cheated = world.machine({ via: ["token"], token });
    await t.rejects(cheated.run(), { code: "enroll/untrusted" });
    t.equal(cheated.identity(), undefined);
    Object.assign(world.deps.authority, { issueNode });
  },
);

t.test("hostile requests change nothing, and are answered shortly", async (t) => {
  const world = await startEnrolment(t);
  const agent = new https.Agent({ ca: world.ca, keepAlive: true });
  t.teardown(() => agent.destroy());
  const post = (path: string, body: string | Uint8Array, method = "POST") =>
    new Promise<number | undefined>((resolve) => {
      const request = https.request(`${world.url}${path}`, { agent, method }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", () => resolve(undefined));
      request.end(body);
    });
  const claim = "/enroll/1/claim";
  const token = await world.token({});
  const machine = world.machine({ via: ["token"], token });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const secret = await world.deps.store.secret();
  const fingerprint = keyFingerprint(publicKey);
  const good: EnrollRequest = {
    v: 1,
    challenge: makeChallenge(secret, fingerprint, world.clock.now()),
    publicKey: publicKey.export({ type: "spki", format: "pem" }) as string,
    machine: marksOf(machine),
    claim: { kind: "token", token },
  };
  const submit = (content: object, key = privateKey, more: object = {}) => {
    const request = JSON.stringify(content);
    return JSON.stringify({ v: 1, request, signature: signRequest(request, key), ...more });
  };
  const status = (wanted: number, name: string, body: string | Uint8Array, path = claim) =>
    post(path, body).then((got) => t.equal(got, wanted, name));
  for (const body of [
    "",
    "{",
    "[]",
    "null",
    '{"v":1}',
    "\0",
    "[".repeat(50_000),
    '{"__proto__":{}}',
  ])
    await status(400, `body ${JSON.stringify(body.slice(0, 20))}`, body);
  await status(400, "an unknown key", submit({ ...good, extra: 1 }));
  await status(400, "a claim of an unknown kind", submit({ ...good, claim: { kind: "root" } }));
  await status(400, "a text that is no JSON", submit("{" as unknown as object));
  await status(413, "a body that is too large", "x".repeat(maxRequestBytes + 1));
  await status(404, "another address", "{}", "/enroll/1/../../etc/passwd");
  t.equal(await post(claim, "", "GET"), 405);
  const pem = (key: ReturnType<typeof generateKeyPairSync>) =>
    (key as unknown as { publicKey: { export(o: object): string } }).publicKey.export({
      type: "spki",
      format: "pem",
    });
  for (const [name, bad] of [
    ["RSA", pem(generateKeyPairSync("rsa", { modulusLength: 1024 }) as never)],
    ["P-384", pem(generateKeyPairSync("ec", { namedCurve: "P-384" }) as never)],
    ["X25519", pem(generateKeyPairSync("x25519") as never)],
    ["a private key", privateKey.export({ type: "pkcs8", format: "pem" }) as string],
    ["a certificate", world.ca],
    ["junk", `-----BEGIN PUBLIC KEY-----\n${"MA".repeat(40)}\n-----END PUBLIC KEY-----\n`],
  ] as const)
    await status(400, `a key that is ${name}`, submit({ ...good, publicKey: bad }));

  const refusal = async (code: string, body: string) => {
    const text = await new Promise<string>((resolve, reject) => {
      const request = https.request(
        `${world.url}${claim}`,
        { agent, method: "POST" },
        async (response) => {
          resolve(Buffer.concat(await response.toArray()).toString());
        },
      );
      request.on("error", reject).end(body);
    });
    t.match(JSON.parse(text), { kind: "refused", code });
  };
  const stranger = generateKeyPairSync("ed25519").privateKey;
  await refusal("enroll/proof-wrong", submit(good, stranger));
  const plain = JSON.stringify(good);
  const bare = sign(null, Buffer.from(plain), privateKey).toString("base64");
  await refusal("enroll/proof-wrong", JSON.stringify({ v: 1, request: plain, signature: bare }));
  const late = makeChallenge(secret, fingerprint, world.clock.now() - 601_000);
  await refusal("enroll/challenge-stale", submit({ ...good, challenge: late }));
  const others = makeChallenge(secret, "0".repeat(64), world.clock.now());
  await refusal("enroll/challenge-stale", submit({ ...good, challenge: others }));
  await refusal(
    "enroll/key-unknown",
    submit({ ...good, claim: { kind: "key", previous: "0".repeat(64) } }),
  );

  // Somebody who knows a node's fingerprint, and not its key, cannot renew for it.
  t.match(await machine.run(), { kind: "enrolled" });
  const previous = keyFingerprint(keyIn(machine.identity()));
  await refusal("enroll/proof-wrong", submit({ ...good, claim: { kind: "key", previous } }));
  await refusal(
    "enroll/proof-wrong",
    submit({ ...good, claim: { kind: "key", previous } }, privateKey, {
      previousSignature: signRequest("another text", stranger),
    }),
  );
  t.match(await world.deps.store.nodes(), [{ name: "edge-17", contested: null }]);
  t.equal((await world.deps.store.nodes()).length, 1);
  // One that connects and says nothing of HTTP does not disturb the others.
  const socket = connect({
    host: "127.0.0.1",
    port: Number(new URL(world.url).port),
    ca: world.ca,
    servername: "localhost",
  });
  socket.write(createHash("sha256").update("noise").digest());
  await new Promise((resolve) =>
    socket
      .on("close", resolve)
      .on("error", () => {})
      .resume(),
  );
  t.match(await world.machine({ via: ["code"] }).run(), { kind: "pending" });
});
