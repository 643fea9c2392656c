import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import { examine } from "#protocol/trust/examine.ts";
import { readOffer } from "#protocol/trust/read-offer.ts";
import { newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import { trustedFromRoot, versionsOf } from "#protocol/trust/trusted.ts";
import { messagesOf, newestTrust, offerOf } from "./assign.ts";
import { auditMessage, auditRepository } from "./audit.ts";
import { describeStaged } from "./describe-staged.ts";
import { exportNode } from "./export.ts";
import { directory, fakeOwners } from "./fake-owners.ts";
import { digestOfSigned, readRepository } from "./read-repository.ts";
import { makeRelease } from "./release.ts";
import { newest } from "./repository.ts";
import { changeKeys, rolesOf } from "./roles.ts";
import { missingOf, nextRoot, nextTargets, publishReady, signStaged, stage } from "./stage.ts";

const nowMs = Date.UTC(2026, 1, 1);
const spec = { version: 1, hostname: "edge" };
const one = { name: "one", number: 1, spec };
const wish = { release: "one", update: { id: "u-1" } };
const node = { fleet: "plant-7", node: "edge-17" };
const context = { nowMs, clockTrusted: true, node };

async function fleetOf(t: Test) {
  const io = fakeIo(t.testdir());
  const owners = await fakeOwners(io, nowMs);
  await owners.init();
  return { io, owners };
}

t.test(
  "owners sign one after another; what is enough counts, and what is not is kept",
  async (t) => {
    const { io, owners } = await fleetOf(t);
    const begun = owners.read();
    t.equal(begun.roots.length, 1, "the keys that were just made have signed the first root");
    t.same(begun.staged, { root: undefined, targets: undefined });
    t.equal(io.files.stat(`${directory}/online/director.pem`)?.mode, 0o600);
    t.notMatch(io.files.readText(`${directory}/keys/alice.age`), /PRIVATE/, "sealed");

    const waits = owners.addRelease({ ...one, hardware: ["b", "a", "b"], minimumAgent: "0.4.0" });
    t.match(describeStaged(waits, "targets"), [
      /^release\/one: new: number 1; firstlight 0\.4\.0 or newer; only a, b; 70 bytes; sha256 /,
    ]);
    t.match(missingOf(waits, "targets"), [{ have: 0, need: 2 }]);
    const half = await owners.sign("targets", ["dora"]);
    t.match(missingOf(half, "targets"), [{ have: 1, need: 2 }]);
    t.equal(newest(half.targets)?.signed.version, 1);
    await t.rejects(owners.sign("targets", ["dora"]), { code: "signing/nothing-waits" });
    await t.rejects(owners.sign("targets", ["alice"]), { code: "signing/nothing-waits" });
    await t.rejects(owners.assign("edge-17", wish), { code: "signing/not-signed" });
    const whole = await owners.sign("targets", ["emil"]);
    t.equal(newest(whole.targets)?.signed.version, 2);

    await t.rejects(owners.assign("edge-17", { ...wish, release: "two" }), {
      code: "signing/release-unknown",
    });
    const assigned = await owners.assign("edge-17", wish);
    const set = assigned.nodes.get("edge-17");
    if (set === undefined) throw new Error("no set");
    const { assignment, fault } = examine(
      newestTrust(assigned),
      offerOf(io.files, assigned, set),
      context,
    );
    t.equal(fault, undefined);
    t.match(assignment, { updateId: "u-1", release: { name: "one", hardware: ["a", "b"] } });
    const again = await owners.assign("edge-17", undefined);
    t.match(again.nodes.get("edge-17"), {
      timestamp: { signed: { version: 2 } },
      director: { signed: { version: 2, targets: set.director.signed.targets } },
    });

    const { messages } = exportNode(io, again, { node: "edge-17", out: "/stick" });
    t.same(messages, ["desired.json"]);
    const offer = readOffer(io.files.read("/stick/desired.json") as Uint8Array);
    const audited = auditMessage(again.roots[0], offer, { node, nowMs });
    t.match(audited.lines.at(-1), /^update u-1$/);
    t.match(auditMessage(again.roots[0], offer, { node: { ...node, node: "x" }, nowMs }), {
      fault: { code: "trust/other-node" },
    });
    t.throws(() => exportNode(io, again, { node: "x", out: "/stick" }), {
      code: "signing/node-unknown",
    });
  },
);

t.test(
  "a new root is signed by the keys of both, and new keys of the targets sign those anew",
  async (t) => {
    const { io, owners } = await fleetOf(t);
    await owners.release(one);
    await owners.assign("edge-17", wish);
    const repository = owners.read();
    const id = (name: string) => repository.keys.get(name)?.keyid ?? "";
    const key = (name: string) => repository.keys.get(name) as FleetKey;
    const signed = nextRoot(
      repository,
      (roles) => {
        if (roles === undefined) throw new Error("no roles");
        return {
          ...roles,
          root: changeKeys("root", roles.root, { add: [key("hydra")], remove: [id("alice")] }),
          targets: changeKeys("targets", roles.targets, {
            add: [key("bob")],
            remove: [id("dora"), id("emil")],
            threshold: 1,
          }),
        };
      },
      owners.span,
    );
    stage(io.files, repository, { role: "root", signed });
    t.same(
      describeStaged(owners.read(), "root").map((line) => line.replace(/ \(.*\)$/, "")),
      [
        "root: key added: hydra",
        "root: key taken out: alice",
        "root: 2 of 3 keys must sign",
        "targets: key added: bob",
        "targets: key taken out: dora",
        "targets: key taken out: emil",
        "targets: 1 of 1 keys must sign",
      ],
    );
    await owners.sign("root", ["alice", "bob"]);
    t.match(missingOf(owners.read(), "root"), [{ role: "root", have: 1, need: 2 }]);
    const rotated = await owners.sign("root", ["carol"]);
    t.equal(rotated.roots.length, 2);
    t.match(auditRepository(io.files, directory, nowMs).warnings, [
      /signs for root and targets/,
      /targets: one stolen key/,
      /^targets 3 waits: 0 of 1/,
      /no node takes a message/,
    ]);
    await owners.sign("targets", ["bob"]);
    t.match(
      auditRepository(io.files, directory, nowMs).warnings.at(-1),
      /^edge-17: .*fleet renew nodes/,
    );
    const renewed = await owners.assign("edge-17", undefined);
    const set = renewed.nodes.get("edge-17");
    if (set === undefined) throw new Error("no set");
    const begun = trustedFromRoot(renewed.roots[0]);
    t.match(examine(begun, offerOf(io.files, renewed, set), context), {
      fault: undefined,
      assignment: { updateId: "u-1" },
    });
    t.throws(
      () => changeKeys("root", rolesOf(renewed.roots[1] as RootMetadata).root, { threshold: 4 }),
      { code: "signing/quorum", message: /4 signatures would be needed of 3 keys/ },
    );
  },
);

t.test(
  "a node that is 256 roots behind comes up to the newest, in one offer or in messages",
  (t) => {
    const pairs = [newKeyPair(), newKeyPair()];
    const other = { keys: [newKeyPair()], threshold: 1 };
    const rest = { targets: other, snapshot: other, timestamp: other };
    const span = { nowMs, days: 365 };
    const roots: RootMetadata[] = [];
    for (let version = 1; version <= 257; version++) {
      const [old, now] = [pairs.at(-2), pairs.at(-1)];
      if (old === undefined || now === undefined) throw new Error("no keys");
      const make = () => ({ root: { keys: [now], threshold: 1 }, ...rest });
      const signed = nextRoot({ roots, staged: {} }, make, span);
      roots.push(signMetadata(signed, version === 1 ? [now] : [old, now]));
      pairs.push(newKeyPair());
    }
    const begun = trustedFromRoot(roots[0]);
    const { trusted, fault } = examine(begun, { root: roots.slice(1) }, context);
    t.equal(fault, undefined);
    t.equal(versionsOf(trusted).root, 257);

    const messages = messagesOf({ root: roots.slice(1) }, {});
    t.ok(messages.length > 1, "one message would be more than a node reads");
    let state = begun;
    for (const bytes of messages) state = examine(state, readOffer(bytes), context).trusted;
    t.equal(versionsOf(state).root, 257);
    const gap = examine(begun, readOffer(messages[1] as Uint8Array), context);
    t.match(gap.fault, { code: "trust/no-root" });
    t.end();
  },
);

t.test("a repository that was tampered with is refused, and the file is named", async (t) => {
  const { io, owners } = await fleetOf(t);
  await owners.release(one);
  await owners.assign("edge-17", wish);
  owners.addRelease({ ...one, name: "two", number: 2 });
  await owners.sign("targets", ["dora"]);
  t.same(
    auditRepository(io.files, directory, nowMs).checks.filter(({ fault }) => fault),
    [],
  );
  const replace = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
  const cases: readonly (readonly [
    file: string,
    change: (text: string) => string | undefined,
    says: RegExp,
  ])[] = [
    [
      "metadata/1.root.json",
      replace(/"threshold": 2/, '"threshold": 1'),
      /signed by 0 of the keys/,
    ],
    ["metadata/1.root.json", () => undefined, /no root that could vouch/],
    ["metadata/1.targets.json", () => undefined, /1\.targets\.json is missing before it/],
    [
      "metadata/2.targets.json",
      replace('"number": 1', '"number": 9'),
      /signed by 0 of the keys of targets/,
    ],
    ["metadata/2.targets.json", () => undefined, /which is missing/],
    ["metadata/2.targets.json", () => "{", /expected JSON/],
    ["releases/one.json", replace("edge", "evil"), /its SHA-256 is not the signed one/],
    ["releases/one.json", () => undefined, /it is missing/],
    ["staged/targets.json", replace(/"number": 2/, '"number": 7'), /is not of this content/],
    [
      "keys/alice.json",
      replace(/"public": ".{8}/, '"public": "00000000'),
      /not the digest of the key/,
    ],
    ["keys/alice.json", replace('"name": "alice"', '"name": "bob"'), /calls itself bob/],
    ["nodes/edge-17.json", replace('"u-1"', '"u-2"'), /director: not signed/],
    ["nodes/edge-17.json", (text) => text.replaceAll("edge-17", "edge-18"), /not signed/],
    ["fleet.json", replace("plant-7", "../x"), /pattern/],
  ];
  for (const [file, change, says] of cases) {
    const host = path.join(io.files.root, directory, file);
    const text = readFileSync(host, "utf8");
    const changed = change(text);
    if (changed === undefined) rmSync(host);
    else writeFileSync(host, changed);
    t.throws(
      () => readRepository(io.files, directory),
      { code: "signing/damaged", message: says },
      file,
    );
    const bad = auditRepository(io.files, directory, nowMs).checks.filter(({ fault }) => fault);
    t.ok(changed === undefined || bad.some((check) => check.file === `${directory}/${file}`), file);
    writeFileSync(host, text);
  }
  t.ok(readRepository(io.files, directory));
});

t.test("a version that somebody else has published meanwhile stays", async (t) => {
  const { io, owners } = await fleetOf(t);
  owners.addRelease(one);
  const ours = await owners.sign("targets", ["dora"]);
  const theirs = readRepository(io.files, directory);
  await owners.sign("targets", ["emil"]);
  const text = io.files.readText(`${directory}/metadata/2.targets.json`);
  stage(io.files, theirs, {
    role: "targets",
    signed: nextTargets(theirs, (image) => ({ ...image, minimumRelease: 1 }), owners.span),
  });
  const other = readRepository(io.files, directory);
  t.same(
    other.staged.targets,
    undefined,
    "what waits under a version that is there counts no more",
  );
  const pairs = await Promise.all(["dora", "emil"].map((name) => owners.open(name)));
  let late = {
    ...ours,
    staged: {
      targets: {
        signed: nextTargets(ours, (image) => ({ ...image, minimumRelease: 1 }), owners.span),
        signatures: [],
      },
    },
  };
  for (const signer of pairs) {
    const digest = digestOfSigned(late.staged.targets);
    late = (await signStaged(io.files, late, { role: "targets", signer, digest })) as typeof late;
  }
  t.throws(() => publishReady(io.files, late, owners.span), { code: "signing/exists" });
  t.equal(io.files.readText(`${directory}/metadata/2.targets.json`), text);
});

t.test("what cannot be shown to who signs is said to be there", async (t) => {
  const { io, owners } = await fleetOf(t);
  owners.addRelease({ ...one, platforms: ["x86_64-linux"] });
  const file = `${directory}/staged/targets.json`;
  const text = io.files.readText(file) ?? "";
  io.files.write(file, text.replace('"number": 1', '"number": 1, "run": "\\u001b[2Jrm"'));
  t.match(describeStaged(owners.read(), "targets").at(-1), /^CAUTION it holds more/);
  io.files.write(file, text.replaceAll("x86_64-linux", "x\\u001b[2J\\nsigned"));
  t.match(describeStaged(owners.read(), "targets"), [/on x signed;/]);
  io.files.write(file, text.replace("release/one", "release/../../one"));
  t.throws(() => readRepository(io.files, directory), {
    code: "signing/damaged",
    message: /staged\/targets\.json: "release\/\.\.\/\.\.\/one" is no name/,
  });
});

t.test("the same release has the same bytes, and one that no node could take is not made", (t) => {
  const made = makeRelease({ ...one, spec: { hostname: "edge", version: 1 } });
  t.equal(made.document, makeRelease(one).document);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ spec: undefined }, /a spec, a built system, or both/],
    [{ name: "../one" }, /its name/],
    [{ number: 1.5 }, /whole number/],
    [{ minimumAgent: "new" }, /0\.4\.0/],
  ];
  for (const [more, message] of cases)
    t.throws(() => makeRelease({ ...one, ...more }), { code: "signing/release-invalid", message });
  t.end();
});
