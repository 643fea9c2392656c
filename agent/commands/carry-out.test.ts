import t from "tap";
import { Fault } from "#core/fault.ts";
import { validate } from "#generated/protocol/messages/command-answered.validate.js";
import { commandNames } from "#protocol/command-names.ts";
import { diagnosticsDirectory } from "./collect-diagnostics.ts";
import { executors } from "./executors.ts";
import { commandNode } from "./fake-commands.ts";

t.test("the list is closed: what is not on it is nothing that could be carried out", async (t) => {
  t.same(Object.keys(executors).sort(), [...commandNames].sort());
});

t.test("what only looks is answered at once, and once", async (t) => {
  const fleet = await commandNode(t);
  fleet.give("ping");
  fleet.give("update");
  fleet.give("run-drift-scan", { arguments: { deep: false } });
  t.match(await fleet.run(), { answered: 3, restarts: false });
  t.match(fleet.told(), [
    { command: "ping", outcome: "done", result: { agent: "0.5.0", bootId: "boot-1" } },
    { command: "update", outcome: "done", result: { updateState: "SUCCEEDED", updateId: "u-1" } },
    { command: "run-drift-scan", outcome: "done", result: { drift: { error: 0 } } },
  ]);
  for (const body of fleet.told()) t.ok(validate(body), JSON.stringify(validate.errors));
  t.same(fleet.did, ["update"]);
  t.match(await fleet.run(), { answered: 0 });
  t.equal(fleet.told().length, 3, "nothing is told twice");
});

t.test("what is wrong with a command is its answer, and nothing is done", async (t) => {
  const fleet = await commandNode(t);
  const before = fleet.node.m.running();
  const wrong = [
    ["ping", { command: "rm -rf /" }, "command/argument-invalid"],
    ["reboot", { how: "kexec" }, "command/argument-invalid"],
    ["rollback", { generation: 0 }, "command/argument-invalid"],
    ["rollback", { generation: "1; reboot" }, "command/argument-invalid"],
    ["rollback", { generation: 77 }, "system/generation-unknown"],
    ["run-drift-scan", { deep: "yes" }, "command/argument-invalid"],
    ["collect-diagnostics", { url: "file:///etc/shadow" }, "command/argument-invalid"],
    ["collect-diagnostics", { url: "http://example.org/x" }, "command/argument-invalid"],
    ["collect-diagnostics", { url: "https://a:b@example.org/x" }, "command/argument-invalid"],
  ] as const;
  for (const [name, args] of wrong) fleet.give(name, { arguments: args });
  fleet.credential = undefined;
  fleet.give("rotate-credential");
  t.match(await fleet.run(), { answered: wrong.length + 1, restarts: false });
  const codes = Object.fromEntries(fleet.told().map(({ id, code }) => [id, code]));
  t.same(
    Object.values(codes).sort(),
    [...wrong.map(([, , code]) => code), "command/not-enrolled"].sort(),
  );
  t.ok(fleet.told().every(({ outcome }) => outcome === "failed"));
  t.equal(fleet.node.m.running(), before);
  t.same(fleet.did, []);
});

t.test("a command that could not be begun in time is answered as expired", async (t) => {
  const fleet = await commandNode(t);
  fleet.give("reboot");
  const renew = async () => {
    throw new Fault("enroll/unreachable", "no route");
  };
  fleet.give("rotate-credential");
  t.match(await fleet.run({ lateMs: 300_001, deps: { renew } }), { answered: 2 });
  t.match(fleet.told(), [
    { command: "reboot", outcome: "failed", code: "command/expired" },
    { command: "rotate-credential", outcome: "failed", code: "command/expired" },
  ]);
  t.equal(fleet.node.restart(), false);

  fleet.give("rotate-credential");
  t.match(await fleet.run({ deps: { renew } }), { answered: 0, waits: /no route/ });
  t.match(await fleet.run({ lateMs: 300_001 }), { answered: 1 }, "what was begun is gone on with");
  t.match(fleet.told().at(-1), { outcome: "done", result: { fingerprint: "key-1+" } });
});

t.test("back to the generation before, through a trial, and never to a revoked one", async (t) => {
  const fleet = await commandNode(t);
  const { node } = fleet;
  const now = node.m.running();
  const before = (await fleet.history()).find((each) => each.previousGood);
  const checkRelease = () => {
    throw new Fault("trust/revoked", "release/edge-0 is revoked");
  };
  fleet.give("rollback");
  await fleet.run({ deps: { checkRelease } });
  t.match(fleet.told().at(-1), { outcome: "failed", code: "trust/revoked" });
  t.equal(node.m.running(), now);

  fleet.give("rollback");
  t.match(await fleet.run(), { answered: 1 });
  t.match(fleet.told().at(-1), { outcome: "done", result: { toplevel: before?.toplevel } });
  t.not(before?.toplevel, now);
  t.equal(node.m.running(), before?.toplevel);
  t.equal(node.m.running(), node.m.bootDefault());
});

t.test("a restart is answered by the boot after it", async (t) => {
  const fleet = await commandNode(t);
  fleet.give("reboot");
  fleet.give("ping");
  t.match(await fleet.run(), { answered: 1, restarts: true });
  t.match(fleet.told(), [{ command: "ping" }]);
  t.ok(fleet.node.restart());
  await fleet.node.boot();
  t.match(await fleet.run(), { answered: 1, restarts: false });
  t.match(fleet.told().at(-1), {
    ...{ command: "reboot", outcome: "done", result: { bootId: "boot-2" } },
  });
  t.match(await fleet.run(), { answered: 0, restarts: false });
  t.equal(fleet.node.restart(), false, "and is not done again");
});

t.test("while a trial is under way nothing is begun, and what waits for it expires", async (t) => {
  const fleet = await commandNode(t);
  const { node } = fleet;
  node.assign({ id: "u-2", name: "edge-2", number: 2, spec: { hostname: "kernel-new" } });
  await node.run();
  t.ok(node.restart());
  fleet.give("reboot");
  fleet.give("rollback");
  t.match(await fleet.run(), { answered: 0, restarts: false, waits: /under way/ });
  t.equal(node.restart(), false);
  t.match(await fleet.run({ lateMs: 300_001 }), { answered: 2 });
  t.same(
    fleet.told().map(({ code }) => code),
    ["command/expired", "command/expired"],
  );
  t.match(await node.boot(), { outcome: "committed" }, "and the trial has its end");
});

t.test("a ping is not kept waiting by what takes long", async (t) => {
  const fleet = await commandNode(t);
  fleet.give("run-drift-scan");
  const lookForDrift = async () => {
    fleet.give("ping");
    for (let n = 0; n < 2_000 && fleet.told().length === 0; n++)
      await new Promise((resolve) => setImmediate(resolve));
    throw new Fault("command/failed", "for the test");
  };
  t.match(await fleet.run({ deps: { lookForDrift } }), { answered: 2 });
  t.match(fleet.told(), [{ command: "ping" }, { command: "run-drift-scan" }]);
});

t.test("a bundle says what firstlight knows, and no secret", async (t) => {
  const fleet = await commandNode(t);
  const canary = "canary-7c1e4a90";
  const { node } = fleet;
  node.userData += `# ${canary}\n`;
  node.m.write("/var/lib/firstlight/credentials/wifi@0011", canary);
  node.m.write("/var/lib/firstlight/instance/kept.json", canary);
  const { id } = fleet.give("collect-diagnostics", {
    arguments: { url: "https://files.example.org/up?sig=1" },
  });
  await fleet.run();
  const path = `${diagnosticsDirectory}/${id}.json`;
  const { files } = node.start().io;
  const text = files.readText(path) ?? "";
  t.match(fleet.told().at(-1), {
    ...{ outcome: "done" },
    result: { path, bytes: Buffer.byteLength(text), sha256: /^[0-9a-f]{64}$/, uploaded: true },
  });
  t.same(fleet.did, ["upload https://files.example.org/up?sig=1"]);
  t.notMatch(text, canary);
  t.equal(files.stat(path)?.mode, 0o600);
  t.match(JSON.parse(text), { v: 1, agent: "0.5.0", history: { generations: [{}, {}] } });
  for (let n = 0; n < 4; n++) fleet.give("collect-diagnostics");
  await fleet.run();
  t.equal(files.list(diagnosticsDirectory).length, 3, "only the newest stay");
});

t.test("a bundle goes to no host that the settings do not name, and stays", async (t) => {
  const fleet = await commandNode(t);
  const addresses = [
    "https://thief.example.net/up",
    "https://files.example.org.example.net/up",
    "https://files.example.org:444/up",
    "https://files.example.org:8443/up",
  ];
  for (const url of addresses) {
    const { id } = fleet.give("collect-diagnostics", { arguments: { url } });
    await fleet.run();
    const path = `${diagnosticsDirectory}/${id}.json`;
    t.ok(fleet.node.start().io.files.readText(path), "it is here all the same");
    if (url === addresses.at(-1)) break;
    t.match(fleet.told().at(-1), {
      ...{ outcome: "failed", code: "command/upload-forbidden" },
      message: new RegExp(`fleet\\.diagnostics\\.uploadTo .* ${path}`),
    });
    t.same(fleet.did, []);
  }
  t.same(fleet.did, [`upload ${addresses.at(-1)}`]);

  fleet.give("collect-diagnostics", { arguments: { url: "https://files.example.org/up" } });
  await fleet.run({ deps: { uploadHosts: [] } });
  t.match(fleet.told().at(-1), { outcome: "failed", code: "command/upload-forbidden" });
  t.equal(fleet.did.length, 1, "no host is named by default");
});
