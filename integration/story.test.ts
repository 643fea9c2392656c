import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, symlinkSync, truncateSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { brokerMissing, freePort, startBroker } from "./brokers.ts";
import { type FleetListener, listen } from "./fleet-listener.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import {
  hasBundle,
  type Medium,
  type programs,
  type Run,
  type RunOptions,
  type StoryNode,
  stick,
  storyNode,
  writeOnMachine,
} from "./story.ts";
import { cloudConfig, type StoryDocument } from "./story-documents.ts";
import { inconsistencies, leftovers, standing } from "./story-state.ts";

t.setTimeout(300_000);

const skip =
  skipWithoutNix() ||
  brokerMissing("mosquitto") ||
  (needs("xorriso", "mkfs.vfat", "mcopy").skip ?? false);

const passwords = { "edge-1": "at the broker: 7rue", fleet: "the server's" };

/** One node's whole story, told over one kind of medium and one form of the program. */
interface Telling {
  readonly medium: Medium;
  readonly program: keyof typeof programs;
}

const tellings: readonly Telling[] = [
  { medium: "iso", program: "source" },
  { medium: "fat", program: hasBundle ? "bundle" : "source" },
];

for (const { medium, program } of tellings) {
  t.test(`a node's story, from an image (${medium}), by its ${program}`, { skip }, async (t) => {
    const broker = await startBroker(t, "mosquitto", { users: passwords });
    const fleet = await listen(t, broker, { username: "fleet", password: passwords.fleet });
    const service = await startService(t);
    const node = await storyNode(t);
    const firstlight = (args: readonly string[], options: RunOptions = {}) =>
      node.firstlight(args, { program, ...options });
    const document = (story: StoryDocument): string =>
      cloudConfig({ broker: { port: broker.port, password: passwords["edge-1"] }, ...story });
    const good: StoryDocument = {
      motd: "the first",
      checks: [
        { type: "file", path: "/etc/motd" },
        { type: "tcp", host: "127.0.0.1", port: broker.port },
        { type: "http", url: service.url("/well") },
      ],
    };
    let heard = 0;
    /** The next end of a boot that the fleet hears of. */
    const finished = async () => {
      heard += 1;
      await fleet.waitUntil(`end ${heard}`, (all) => all.filter(isFinished).length >= heard);
      return fleet.heard.filter(isFinished).at(heard - 1)?.body;
    };

    await t.test("first boot: generation 1, published and reported", async (t) => {
      node.insert(medium, { instanceId: "i-1", userData: document(good) });
      const run = await firstlight(["boot", "--report"], { record: true });
      t.match(run, { code: 0, stdout: "committed: generation 1 runs and is the boot default\n" });
      t.ok(nixProcesses(run).length > 0, "what is recorded of processes is real");
      await t.test("is what it should be", (t) => soundNode(t, node, { generation: 1 }));
      t.equal(node.io.files.readText("/etc/motd"), "the first\n", "activated");
      t.match(node.io.files.readText("/etc/nixos/firstlight/instance.nix"), /users\.alice = \{/);
      await reportedFirst(t, fleet);
      t.match(await finished(), { outcome: "committed", generation: 1, instanceId: "i-1" });
    });

    await t.test("second boot: nothing changed, and no process was started", async (t) => {
      const before = standing(node);
      const run = await firstlight(["boot", "--json"], { record: true });
      t.match(run, { code: 0, processes: [] });
      t.match(JSON.parse(run.stdout), { outcome: "unchanged", generation: 1, exitCode: 0 });
      t.same(withoutOutbox(standing(node)), withoutOutbox(before));
      t.match(await firstlight(["boot"]), { stdout: /^unchanged: the system already is what/ });
    });

    await t.test("the commands tell what there is", (t) => commandsTell(t, node, { program }));

    await t.test("plan says what changed user-data would do, and does nothing", async (t) => {
      node.insert(medium, { instanceId: "i-1", userData: document({ ...good, ...second }) });
      const preview = await firstlight(["plan", "--preview"], { record: true });
      t.match(preview, {
        code: 0,
        processes: [],
        stdout: /^ {2}~ environment\.etc\.motd\.text: /m,
      });
      const { code, stdout } = await firstlight(["plan", "--json"]);
      t.equal(code, 0);
      t.match(JSON.parse(stdout), {
        unchanged: false,
        plan: {
          from: { generation: 1 },
          files: [
            { path: "firstlight/generation.nix", change: "changed" },
            { path: "firstlight/instance.nix", change: "changed" },
            { path: "firstlight/manifest.json", change: "changed" },
            { path: "firstlight/values.json", change: "changed" },
          ],
          closure: { reason: { why: "what NoCloud says has changed" } },
        },
      });
      t.equal(standing(node).generation, 1);
    });

    await t.test("changed user-data: generation 2, and what is not done is told", async (t) => {
      const run = await firstlight(["boot", "--report"]);
      t.match(run, { code: 2, stdout: /^committed \(degraded\): generation 2 / });
      t.match(run.stderr, /user-data:[0-9]+:14 warning landscape\.client/);
      await t.test("is what it should be", (t) => soundNode(t, node, { generation: 2 }));
      t.equal(node.io.files.readText("/etc/motd"), "the second\n");
      await finished(); // of the second boot, which did not report itself
      await finished();
      t.match(await finished(), { outcome: "committed", degraded: true, generation: 2 });
    });

    await t.test("user-data that is not healthy: back to 2, reported, exit 3", async (t) => {
      const before = standing(node);
      const checks = [
        { type: "file", path: "/run/never" },
        { type: "tcp", host: "127.0.0.1", port: await freePort() },
        { type: "http", url: service.url("/ill") },
      ] as const;
      node.insert(medium, { instanceId: "i-1", userData: document({ motd: "the third", checks }) });
      const run = await firstlight(["boot", "--report"]);
      t.match(run, { code: 3, stdout: /^rolled-back: not healthy: / });
      for (const reason of ["file /run/never", "ECONNREFUSED", "status 503"]) {
        t.match(run.stdout, reason);
      }
      await t.test("is what it was", (t) => soundNode(t, node, { generation: 2 }));
      t.same(
        withoutOutbox(standing(node)),
        withoutOutbox(before),
        "published and pinned as before",
      );
      t.equal(node.io.files.readText("/etc/motd"), "the second\n", "and 2 runs again");
      t.match(await finished(), { outcome: "rolled-back", generation: 2 });
      const trial = await fleet.wait("the trial", ({ body }) => body["result"] === "rolled-back");
      t.match(trial.body, { healthy: false, by: "boot", generation: 2 });
      const { body } = await fleet.wait("what runs", isReported("rolled-back"));
      t.match(body, { generation: 2, last: { outcome: "rolled-back" } });
    });

    await t.test("history lists all of it", async (t) => {
      const { stdout } = await firstlight(["history", "--json"]);
      t.match((JSON.parse(stdout) as { generations: unknown }).generations, [
        { generation: 1, outcome: "committed", running: false, reason: { by: "boot" } },
        { generation: 2, outcome: "committed", running: true, bootDefault: true },
        { generation: null, outcome: "rolled-back", verdict: { healthy: false } },
      ]);
      t.match((await firstlight(["history"])).stdout, /\[runs, boot default\]/);
    });

    if (medium !== "iso") return; // what comes now does not depend on the medium
    await t.test("rollback 1 goes through a trial of its own", async (t) => {
      const run = await firstlight(["rollback", "1"]);
      t.match(run, { code: 0, stdout: /^committed: generation 3 runs and is the boot default/ });
      await t.test("is what it should be", (t) => soundNode(t, node, { generation: 3 }));
      t.equal(node.io.files.readText("/etc/motd"), "the first\n");
      const [one, , three] = node.machine.profileGenerations();
      t.equal(three?.system, one?.system, "the system of generation 1");
    });
    await t.test("and is left alone by the next boot, until something changes", async (t) => {
      node.insert(medium, { instanceId: "i-1", userData: document({ ...good, ...second }) });
      const run = await firstlight(["boot"]);
      t.match(run, { code: 77, stdout: /^held: rollback: back to generation 1/ });
      t.match(standing(node), { generation: 3 });
    });
  });
}

t.test("who may change a node", { skip }, async (t) => {
  const policy = { changes: "hold", removableMedia: "require-signature" };
  const node = await storyNode(t, { settings: { stateVersion: "25.11", policy } });
  const seed = (instanceId: string, motd: string) => ({
    instanceId,
    userData: cloudConfig({ motd }),
  });
  node.insert("iso", seed("i-1", "one"));
  t.match(await node.firstlight(["boot"]), { code: 0 });

  await t.test("a new instance-id is held, and `apply` takes it", async (t) => {
    node.insert("iso", seed("i-2", "two"));
    const held = await node.firstlight(["boot"]);
    t.match(held, { code: 77, stdout: /^held: the instance-id changed from i-1 to i-2/ });
    t.match(standing(node), { generation: 1, instanceId: "i-1" });
    t.match(await node.firstlight(["status"]), { code: 77, stdout: /^held: / });
    t.match(await node.firstlight(["apply"]), { code: 0, stdout: /^committed: generation 2 / });
    t.match(standing(node), { generation: 2, instanceId: "i-2" });
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  });

  const other = { name: "vdc", device: "pci0000:00/0000:04:00.0/virtio3/block/vdc" };
  const image = node.makeImage("fat", seed("i-2", "three"));
  await t.test("another place of the datasource is held, and `apply` takes it", async (t) => {
    node.eject();
    node.insertImage(image, other);
    t.match(await node.firstlight(["boot"]), { code: 77, stdout: /^held: the datasource changed/ });
    t.equal(standing(node).generation, 2);
    t.match(await node.firstlight(["apply"]), { code: 0, stdout: /^committed: generation 3 / });
    t.same(inconsistencies(node), []);
  });

  await t.test("a stick is refused, also to `apply`, as the image's owner settled", async (t) => {
    node.eject(other);
    node.insertImage(node.makeImage("iso", seed("i-9", "stick")), stick);
    for (const command of ["boot", "apply"]) {
      t.match(await node.firstlight([command]), { code: 77, stdout: /^refused: / });
    }
    t.equal(standing(node).generation, 3);
    node.eject(stick);
    node.insertImage(image, other);
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  });
});

t.test("a configuration of one's own is adopted", { skip }, async (t) => {
  const node = await storyNode(t, { settings: {} });
  const own = {
    "configuration.nix": `# Mine, by hand.
{ ... }:
{
  imports = [ ./hardware-configuration.nix ];
  networking.hostName = "by-hand";
  environment.etc."own".text = "own\\n";
  system.stateVersion = "24.05";
}
`,
    "hardware-configuration.nix": "{ boot.isContainer = true; }\n",
  };
  node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "one" }) });
  writeOnMachine(node, "etc/nixos/configuration.nix", "{ imports = [ ./missing.nix ]; }\n");
  t.match(await node.firstlight(["boot"]), { code: 1, stdout: /^failed: .*missing\.nix/ });
  for (const [name, text] of Object.entries(own)) writeOnMachine(node, `etc/nixos/${name}`, text);
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation 1 / });
  await t.test("is what it should be", (t) => soundNode(t, node, { generation: 1 }));
  const { files } = node.io;
  const kept = "/etc/nixos/configuration.nix.before-firstlight";
  t.equal(files.readText(kept), own["configuration.nix"], "kept beside, byte for byte");
  for (const [name, text] of Object.entries(own)) {
    t.equal(files.readText(`/etc/nixos/firstlight/base/${name}`), text, `imported: ${name}`);
  }
  t.equal(
    files.readText("/etc/nixos/hardware-configuration.nix"),
    own["hardware-configuration.nix"],
    "what is not ours stays where it is",
  );
  t.equal(files.readText("/etc/own"), "own\n", "and it is in force");
  t.equal(files.readText("/etc/motd"), "one\n", "together with the user-data");
  t.match(files.readText("/etc/hostname"), /^edge-1/, "the datasource's word wins");
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  t.equal(files.readText(kept), own["configuration.nix"]);
});

/** Where an image may have put the module: as the README says, and anywhere else. */
const modulePlaces = ["firstlight/nixos/module.nix", "modules/our-provisioner.nix"];

for (const place of modulePlaces) {
  t.test(`an image that imports ./${place} itself is adopted`, { skip }, async (t) => {
    const node = await storyNode(t, { settings: { policy: { changes: "apply" } } });
    const module = readFileSync(new URL("../nixos/module.nix", import.meta.url), "utf8");
    const entry = `{ pkgs, ... }:
{
  imports = [ ./${place} ];
  services.firstlight = {
    enable = true;
    package = pkgs.firstlight;
    settings.policy.changes = "apply";
  };
  boot.isContainer = true;
  system.stateVersion = "24.05";
}
`;
    writeOnMachine(node, `etc/nixos/${place}`, module);
    writeOnMachine(node, "etc/nixos/configuration.nix", entry);
    node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "one" }) });
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation 1 / });
    await t.test("is what it should be", (t) => soundNode(t, node, { generation: 1 }));
    const { files } = node.io;
    t.equal(files.readText(`/etc/nixos/firstlight/base/${place}`), module, "taken over");
    t.match(files.readText("/etc/firstlight/settings.json"), /"changes": *"apply"/);
    const [top = ""] = place.split("/");
    const kept = top === "firstlight" ? "firstlight.before-firstlight" : top;
    t.equal(
      files.readText(`/etc/nixos/${kept}/${place.slice(top.length + 1)}`),
      module,
      "what a person had there is not lost",
    );
    t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  });
}

t.test("what goes wrong on the way changes nothing", { skip }, async (t) => {
  const node = await storyNode(t);
  const before = node.machine.snapshot();
  const fresh = () => node.machine.restore(before);
  const untouched = (t: Test) => {
    t.match(standing(node), { generation: null, published: [undefined, undefined], open: "none" });
    t.notOk(node.machine.currentSystem());
    t.notOk(existsSync(path.join(node.machine.root, "etc/motd")), "nothing was activated");
  };
  const boot = (userData: string) => {
    fresh();
    node.insert("iso", { instanceId: "i-1", userData });
    return node.firstlight(["boot"]);
  };

  await t.test("a damaged image", async (t) => {
    fresh();
    const image = node.makeImage("iso", {
      instanceId: "i-1",
      userData: cloudConfig({ motd: "x" }),
    });
    truncateSync(image, Math.floor(statSync(image).size / 8));
    node.insertImage(image);
    const run = await node.firstlight(["boot"]);
    t.match(run, { code: 4, stdout: /^failed: .*\/dev\/vdb/ });
    t.notMatch(run.stderr, /internal/);
    untouched(t);
  });

  await t.test("user-data with errors, all of them named", async (t) => {
    const run = await boot("#cloud-config\ntimezone: [a]\nntp: { servers: 7 }\nruncmd: x\n");
    t.match(run, { code: 4, stdout: /^invalid: [2-9] errors in the input/ });
    t.match(run.stderr, /user-data:2:11 error timezone/);
    t.match(run.stderr, /user-data:3:/);
    untouched(t);
  });

  await t.test("a package that nixpkgs does not have", async (t) => {
    const run = await boot(cloudConfig({ motd: "x", more: "" }).replace("htop", "no-such-thing"));
    t.match(run, { code: 1, stdout: /^failed: .*no-such-thing/s });
    t.match(run.stderr, "user-data:3:12 error packages.0: nixpkgs has no package `no-such-thing`");
    untouched(t);
  });

  await t.test("an option with a value of another type", async (t) => {
    const options = "  options:\n    boot.loader.timeout: soon\n";
    const run = await boot(cloudConfig({ motd: "x" }) + options);
    t.match(run, { code: 1, stdout: /^failed: .*boot\.loader\.timeout/s });
    t.match(run.stderr, /user-data:[0-9]+:[0-9]+ error boot\.loader\.timeout: .*not of type/);
    untouched(t);
  });

  await t.test("a machine without Nix", async (t) => {
    fresh();
    node.insert("iso", { instanceId: "i-1", userData: cloudConfig({ motd: "x" }) });
    const PATH = programsOnly(t.testdir({}), ["unshare", "sh", "mount", "sync"]);
    const run = await node.firstlight(["boot", "--json"], { env: { PATH } });
    t.match(run, { code: 1 });
    t.match(JSON.parse(run.stdout), { outcome: "failed", fault: { code: "system/nix-missing" } });
    untouched(t);
  });
});

/** Differs from the first in a file, and asks for something that is not translated. */
const second: Partial<StoryDocument> & { readonly motd: string } = {
  motd: "the second",
  more: "landscape: { client: { url: http://192.0.2.1/ } }\n",
};

/** A service on loopback that is well at one path and ill at another. */
async function startService(t: Test): Promise<{ readonly url: (at: string) => string }> {
  const server = http.createServer((request, response) => {
    response.writeHead(request.url === "/well" ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return { url: (at) => `http://127.0.0.1:${port}${at}` };
}

/** The node is whole, and everything on it speaks of this generation. */
async function soundNode(
  t: Test,
  node: StoryNode,
  { generation }: { readonly generation: number },
): Promise<void> {
  t.same([...inconsistencies(node), ...leftovers(node)], []);
  const now = standing(node);
  t.match(now, { generation, generations: generation });
  t.ok(now.running);
  t.equal(now.published[0], now.committed, "published: what was committed last");
  t.equal(now.publishedBytes, now.committed, "byte for byte");
}

/** What a first report brings, each message once. */
async function reportedFirst(t: Test, fleet: FleetListener): Promise<void> {
  const topic = (name: string) => `firstlight/1/story/edge-1/${name}`;
  const body = async (name: string, fits: object) => {
    const found = await fleet.wait(name, (heard) => heard.topic === topic(name));
    t.match(found.body, fits, name);
  };
  await body("status", { online: true, reason: "connected", session: 1 });
  await body("about", {
    agent: /^\d/,
    datasource: { name: "NoCloud", instanceId: "i-1" },
    profile: { id: "qemu/kvm" },
  });
  await body("event/boot.started", { by: "boot", recovered: "clean" });
  await body("event/trial.finished", { result: "committed", generation: 1, healthy: true });
  await body("reported", { generation: 1, last: { outcome: "committed" } });
  await fleet.wait("the farewell", ({ body }) => body["reason"] === "reported");
  const seqs = fleet.seqs();
  t.same(
    seqs,
    seqs.map((_, index) => index + 1),
    "events in order, none missing, none twice",
  );
}

async function commandsTell(t: Test, node: StoryNode, options: RunOptions): Promise<void> {
  const firstlight = (...args: string[]) => node.firstlight(args, options);
  t.match(await firstlight("status"), { code: 0, stdout: /^unchanged: / });
  t.match(await firstlight("status", "--wait"), { code: 0 });
  t.match(JSON.parse((await firstlight("status", "--json")).stdout), {
    status: { state: "done" },
    result: { outcome: "unchanged", exitCode: 0, generation: 1 },
  });
  t.match(await firstlight("query", "v1.instance_id"), { code: 0, stdout: "i-1\n" });
  t.match(await firstlight("query", "local_hostname"), { stdout: "edge-1\n" });
  t.match(JSON.parse((await firstlight("discover", "--json")).stdout), {
    kind: "found",
    instance: { instanceId: "i-1", datasource: { place: "disk /dev/vdb" } },
  });
  t.match(JSON.parse((await firstlight("plan", "--json")).stdout), { unchanged: true });
}

function isFinished({ topic }: { readonly topic: string }): boolean {
  return topic.endsWith("/event/boot.finished");
}

function isReported(outcome: string) {
  return ({ topic, body }: { readonly topic: string; readonly body: object }) =>
    topic.endsWith("/reported") &&
    (body as { last?: { outcome?: string } }).last?.outcome === outcome;
}

function nixProcesses({ processes }: Run): readonly string[] {
  return processes.map(({ argv }) => argv[0] ?? "").filter((name) => name.startsWith("nix-"));
}

function withoutOutbox({ outbox: _, ...rest }: ReturnType<typeof standing>) {
  return rest;
}

/** A directory with these programs of the host and no others. */
function programsOnly(directory: string, names: readonly string[]): string {
  for (const name of names) {
    const program = execFileSync("which", [name], { encoding: "utf8" }).trim();
    symlinkSync(program, path.join(directory, name));
  }
  return directory;
}
