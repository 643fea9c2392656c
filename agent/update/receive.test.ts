import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { type FakeFleet, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { timeText } from "#protocol/trust/metadata.ts";
import { newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import { type CommandContent, makeCommand } from "#protocol/trust/sign/make-metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import { commandWorks } from "../commands/command-work.ts";
import { commandStore } from "./command-store.ts";
import { type FakeReceiver, fakeReceiver } from "./fake-receiver.ts";
import { assignedFile } from "./places.ts";
import { type Refusal, refusalFile } from "./receive.ts";
import { trustedCopyFile, trustedFile } from "./trusted-places.ts";
import { trustedStore } from "./trusted-store.ts";
import { readTrustedVersions } from "./trusted-versions.ts";

const died = "died at effect";

t.test(
  "what is assigned is on the disk before it is answered, and the same again changes nothing",
  async (t) => {
    const fleet = fakeFleet();
    const node = fakeReceiver(t.testdir(), fleet);
    const set = message(fleet.publish());
    t.match(await node.submit(set), {
      kind: "assigned",
      updateId: "update-1",
      trusted: { root: 1, timestamp: 1, snapshot: 1, targets: 1, director: 1 },
    });
    t.match(JSON.parse(node.assigned() ?? ""), {
      v: 1,
      assignment: { updateId: "update-1", release: { path: "release/one" } },
      envelope: { timestamp: { signed: { version: 1 } } },
      documents: { "release/one": String },
      receivedAt: "2026-02-01T00:00:00.000Z",
    });
    const effects = node.io.effects.length;
    t.match(await node.submit(set), { kind: "unchanged", updateId: "update-1" });
    t.equal(node.io.effects.length, effects, "not one effect");
    t.notOk(JSON.parse(node.assigned() ?? "").envelope.documents, "texts are kept once");

    const fresh = message(fleet.publish({ update: { id: "update-1" } }));
    t.match(await node.submit(fresh), { kind: "unchanged", trusted: { timestamp: 2 } });
    t.match(await node.submit(message(fleet.publish({ assigned: null }))), { kind: "nothing" });
    t.match(JSON.parse(node.assigned() ?? ""), { assignment: null });
    t.equal(node.io.executed.length, 0, "and no process was started");
  },
);

t.test("newer signatures of the same are kept, with the document that was there", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  const update = { id: "update-1" };
  await node.submit(message(fleet.publish({ update })));
  await node.submit(message({ ...fleet.publish({ update }), documents: {} }));
  t.match(JSON.parse(node.assigned() ?? ""), {
    envelope: { timestamp: { signed: { version: 2 } } },
    documents: { "release/one": String },
  });
});

t.test("what is assigned and damaged is written anew, also where nothing is wanted", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish({ assigned: null })));
  for (const damage of ["{", '{"v":1}']) {
    node.io.files.write(assignedFile, damage);
    await node.submit(message(fleet.publish({ assigned: null })));
    t.match(JSON.parse(node.assigned() ?? ""), { v: 1, assignment: null });
  }
});

t.test("everybody may read what is believed; it holds no secret", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  for (const file of [trustedFile, trustedCopyFile, assignedFile]) {
    t.equal(node.io.files.stat(file)?.mode, 0o644, file);
    t.notMatch(node.io.files.readText(file), /PRIVATE/);
  }
});

t.test("versions are told without the verifier, from whichever file can be read", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  const { files } = node.io;
  const told = () => readTrustedVersions(files, "/etc/firstlight/root.json");
  t.same(told(), { root: 1, timestamp: 0, snapshot: 0, targets: 0, director: 0 });
  fleet.rotate("timestamp");
  const { trusted } = await node.submit(message(fleet.publish()));
  t.same(told(), trusted);
  t.equal(trusted.root, 2);
  files.write(trustedFile, "nul");
  t.same(told(), trusted);
  files.write(trustedCopyFile, "null");
  t.match(told(), { root: 1, director: 0 });
  t.equal(readTrustedVersions(files), undefined, "of a node without a root");
});

t.test("a refusal is an answer, and is kept for who asks until the next boot", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  t.match(await node.submit(Buffer.from("{}")), {
    kind: "refused",
    code: "trust/malformed",
    trusted: { root: 1, timestamp: 0 },
  });
  const refusal = JSON.parse(node.io.files.readText(refusalFile) ?? "") as Refusal;
  t.match(refusal, { v: 1, topic: "desired", code: "trust/malformed", at: String });
  t.notOk(node.io.files.stat(trustedFile), "nothing else was written");
});

t.test("a node without a root takes nothing and leaves no trace", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  const root = path.join(node.io.files.root, "etc/firstlight/root.json");
  rmSync(root);
  t.match(await node.submit(message(fleet.publish())), { kind: "refused", code: "trust/no-root" });
  writeFileSync(root, "{}");
  t.match(await node.submit(message(fleet.publish())), {
    kind: "refused",
    code: "trust/malformed",
  });
});

/** A receiver that dies before the effect with this number. */
function dying(root: string, fleet: FakeFleet, dieAt: number): FakeReceiver {
  return fakeReceiver(root, fleet, {
    onEffect: (number) => {
      if (number === dieAt) throw new Error(died);
    },
  });
}

t.test(
  "killed before any effect, it takes the same bytes again and comes to the same end",
  async (t) => {
    const fleet = fakeFleet();
    const sets = [fleet.publish(), fleet.publish()];
    fleet.rotate("timestamp");
    sets.push(fleet.publish());
    const whole = fakeReceiver(t.testdir(), fleet);
    for (const set of sets) await whole.submit(message(set));
    const believed = whole.io.files.readText(trustedFile);
    let deaths = 0;
    for (let at = 1; at < 40; at++) {
      const root = path.join(t.testdir(), String(at));
      // Every submission in a process of its own, as often as it takes.
      const before = dying(root, fleet, 0);
      for (const set of sets.slice(0, 2)) await before.submit(message(set));
      const last = message(sets[2] ?? {});
      try {
        await dying(root, fleet, at).submit(last);
      } catch (error) {
        if (!(error instanceof Error) || error.message !== died) throw error;
        deaths += 1;
        const after = dying(root, fleet, 0);
        const { damaged } = trustedStore(after.io, "/etc/firstlight/root.json").read();
        t.same(damaged, [], `dead at ${at}: nothing is torn`);
        t.match(await after.submit(last), { kind: /assigned|unchanged/, updateId: "update-3" });
        t.equal(after.io.files.readText(trustedFile), believed);
        t.match(JSON.parse(after.assigned() ?? ""), { assignment: { updateId: "update-3" } });
        continue;
      }
      break;
    }
    t.equal(deaths, 3, "the copy, what is believed, what is assigned");
  },
);

t.test("however a file is torn, no version is lost as long as the other is whole", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  const old = message(fleet.publish());
  await node.submit(message(fleet.publish()));
  const host = (file: string) => path.join(node.io.files.root, file);
  const length = node.io.files.readText(trustedFile)?.length ?? 0;
  for (const left of [0, 1, Math.floor(length / 2), length - 2]) {
    for (const file of [trustedFile, trustedCopyFile]) {
      truncateSync(host(file), left);
      t.match(
        await node.submit(old),
        { kind: "refused", code: "trust/rollback" },
        `${file} ${left}`,
      );
      t.match(await node.submit(message(fleet.publish())), { kind: "assigned" });
      t.ok(JSON.parse(node.io.files.readText(file) ?? ""), "and it is whole again");
    }
  }
  const aside = readdirSync(host(path.dirname(trustedFile))).filter((name) => /damaged/.test(name));
  t.ok(aside.length > 0, "what was torn lies beside it");

  for (const file of [trustedFile, trustedCopyFile]) writeFileSync(host(file), "\0\0\0");
  t.match(
    await node.submit(message(fleet.publish())),
    { kind: "assigned" },
    "with neither it begins anew",
  );
});

t.test("a full disk is no answer: the same bytes have to come again", async (t) => {
  const fleet = fakeFleet();
  let isFull = true;
  const node = fakeReceiver(t.testdir(), fleet, {
    onEffect: () => {
      if (isFull) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    },
  });
  const set = message(fleet.publish());
  await t.rejects(node.submit(set));
  isFull = false;
  t.match(await node.submit(set), { kind: "assigned" });
});

/** A command as a message, signed by the director unless said otherwise. */
function command(
  fleet: FakeFleet,
  change: Partial<CommandContent> = {},
  keys = fleet.keysOf("director").keys,
): Uint8Array {
  const content: CommandContent = {
    node: fleet.node,
    id: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
    name: "ping",
    issuedMs: fleet.nowMs,
    expiresMs: fleet.nowMs + 300_000,
    ...change,
  };
  return message(signMetadata(makeCommand(content), keys));
}

async function nodeWithDirector(t: { testdir(): string }, fleet: FakeFleet): Promise<FakeReceiver> {
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  return node;
}

t.test("what could not be read again is never written", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  await node.submit(message(fleet.publish()));
  const store = trustedStore(node.io);
  const { trusted } = store.read();
  const { targets } = trusted;
  const large = { ...targets, signed: { ...targets?.signed, note: "x".repeat(300_000) } };
  const delegated = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [`builder-${index}`, large]),
  ) as typeof trusted.delegated;
  t.throws(() => store.write({ ...trusted, delegated }), { code: "trust/limit" });
  t.match(store.read(), { from: "state", damaged: [], trusted: { delegated: {} } });
});

t.test("a command is taken once, and answered as often as it comes", async (t) => {
  const fleet = fakeFleet();
  const node = await nodeWithDirector(t, fleet);
  const ping = command(fleet, { arguments: { note: "hello" } });
  const id = "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11";
  t.match(await node.submit(ping, "cmd"), {
    kind: "command",
    command: { id, name: "ping", isNew: true },
  });
  const store = commandStore(node.io);
  t.match(store.list(), [{ command: { id, name: "ping", arguments: { note: "hello" } } }]);
  const [taken] = store.list();
  if (taken === undefined) return;
  const answer = { outcome: "done", result: { uptimeSeconds: 5 } } as const;
  commandWorks(node.io.files).write({
    v: 1,
    command: taken.command,
    begun: null,
    answer,
    number: 1,
  });
  t.match(await node.submit(ping, "cmd"), {
    kind: "command",
    command: { id, isNew: false },
    answer,
  });
  t.equal(store.list().length, 1);
});

t.test(
  "a command that is forgotten is not taken again, also when the clock goes back",
  async (t) => {
    const fleet = fakeFleet();
    const node = await nodeWithDirector(t, fleet);
    const first = command(fleet);
    const start = fleet.nowMs;
    await node.submit(first, "cmd");
    fleet.nowMs += 600_000;
    node.setClock(fleet.nowMs, true);
    t.match(await node.submit(first, "cmd"), { kind: "refused", code: "trust/expired" });
    await node.submit(command(fleet, { id: "second-command-0001" }), "cmd");
    t.equal(commandStore(node.io).list().length, 2, "the first was not answered");
    const [taken] = commandStore(node.io).list();
    if (taken === undefined) return;
    const answer = { outcome: "failed", code: "command/expired", message: "" } as const;
    const work = { v: 1, command: taken.command, begun: null, answer, number: 1 } as const;
    commandWorks(node.io.files).write(work);
    await node.submit(command(fleet, { id: "third-command-00001" }), "cmd");
    t.same(
      commandStore(node.io)
        .list()
        .map((each) => each.command.id),
      ["second-command-0001", "third-command-00001"],
      "it was, and is forgotten",
    );
    node.setClock(start, true);
    t.match(await node.submit(first, "cmd"), { kind: "refused", code: "trust/replay" });
  },
);

t.test("commands that do not count", async (t) => {
  const fleet = fakeFleet();
  const node = await nodeWithDirector(t, fleet);
  const { nowMs } = fleet;
  const shell = { name: "shell" as never, arguments: { run: "reboot" } };
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ["of nobody", command(fleet, {}, []), "trust/threshold"],
    ["of a stranger", command(fleet, {}, [newKeyPair()]), "trust/threshold"],
    ["of the owners", command(fleet, {}, fleet.keysOf("targets").keys), "trust/threshold"],
    [
      "for another node",
      command(fleet, { node: { fleet: "plant-7", node: "edge-18" } }),
      "trust/other-node",
    ],
    [
      "that has expired",
      command(fleet, { issuedMs: nowMs - 300_000, expiresMs: nowMs }),
      "trust/expired",
    ],
    [
      "that counts for an hour",
      command(fleet, { expiresMs: nowMs + 3_600_000 }),
      "trust/malformed",
    ],
    ["that ends before it begins", command(fleet, { expiresMs: nowMs - 1_000 }), "trust/malformed"],
    ["that is none of the list", command(fleet, shell), "trust/malformed"],
    ["without an id", command(fleet, { id: "" }), "trust/malformed"],
    ["that is metadata", message(fleet.publish().director), "trust/malformed"],
    ["that is no JSON", Buffer.from("reboot"), "trust/malformed"],
    ["that is too large", Buffer.alloc(300_000), "trust/limit"],
  ];
  for (const [name, bytes, code] of cases) {
    const answer = await node.submit(bytes, "cmd");
    t.match(answer, { kind: "refused", code }, `${name}: ${answer.message}`);
  }
  t.equal(commandStore(node.io).list().length, 0);
  for (let each = 0; each < 64; each++) {
    await node.submit(command(fleet, { id: `command-number-${each + 100}` }), "cmd");
  }
  t.match(await node.submit(command(fleet), "cmd"), { kind: "refused", code: "trust/limit" });
});

t.test("before it knows a director, a node takes no command", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  t.match(await node.submit(command(fleet), "cmd"), { kind: "refused", code: "trust/threshold" });
});

t.test("a store of commands that cannot be read forgets none of them", async (t) => {
  const fleet = fakeFleet();
  const node = await nodeWithDirector(t, fleet);
  const first = command(fleet);
  await node.submit(first, "cmd");
  node.io.files.write("/var/lib/firstlight/update/commands.json", "{");
  t.match(await node.submit(first, "cmd"), { kind: "refused", code: "trust/replay" });
  fleet.nowMs += 1_000;
  node.setClock(fleet.nowMs, true);
  const later = command(fleet, { id: "a-later-command-1" });
  t.match(await node.submit(later, "cmd"), { kind: "command" }, timeText(fleet.nowMs));
});

t.test("any bytes are answered, and never but with a refusal", async (t) => {
  const fleet = fakeFleet();
  const node = fakeReceiver(t.testdir(), fleet);
  const honest = Buffer.from(message(fleet.publish()));
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
    fc.object({ maxDepth: 4 }).map((body) => message(body)),
    // One byte of an honest message is another one.
    fc.tuple(fc.nat(honest.length - 1), fc.nat(255)).map(([at, byte]) => {
      const changed = Buffer.from(honest);
      changed[at] = byte === changed[at] ? byte ^ 1 : byte;
      return changed;
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      hostile,
      fc.constantFrom("desired" as const, "cmd" as const),
      async (bytes, topic) => {
        try {
          const answer = await node.submit(bytes, topic);
          // A changed envelope, or a letter of what nobody signs, makes no difference.
          return answer.kind === "refused" || topic === "desired";
        } catch (error) {
          return isFault(error);
        }
      },
    ),
    { numRuns: 300 },
  );
});
