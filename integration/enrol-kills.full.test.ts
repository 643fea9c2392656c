import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight } from "#cli/try-commands.ts";
import { randomFrom } from "#core/random-from.ts";
import { freePort, temporaryDirectory } from "./brokers.ts";
import { fleet, machine, serve } from "./enrol-processes.ts";
import { type EnrolMachine, keyIn, startEnrolment } from "./enrol-world.ts";

t.setTimeout(300_000);
const day = 24 * 3_600_000;

/** Stands for SIGKILL: nothing after it happens, and what was written before stays. */
class Death extends Error {}

/** Lives until the machine is enrolled; the n-th of them is the first that dies at no effect. */
async function lives(start: (dieAt: number) => EnrolMachine): Promise<number> {
  for (let dieAt = 1; dieAt < 100; dieAt++) {
    try {
      const outcome = await start(dieAt).run();
      if (outcome.kind === "enrolled") return dieAt;
      throw new Error(`ended as ${outcome.kind}`);
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }
  throw new Error("it never lives to the end");
}

t.test(
  "killed before each effect, a node goes on: one name, one key that fits, no key left over",
  async (t) => {
    const world = await startEnrolment(t);
    const root = temporaryDirectory(t, "firstlight-enrol-");
    const token = await world.token({});
    const start = (dieAt: number) => {
      let effects = 0;
      return world.machine({
        ...{ via: ["token"], token, root },
        onEffect: () => {
          effects += 1;
          if (effects === dieAt) throw new Death();
        },
      });
    };
    const whole = () => {
      const machine = world.machine({ via: ["token"], root });
      const identity = machine.identity() ?? "";
      const certificate = new X509Certificate(identity);
      t.equal(certificate.checkPrivateKey(keyIn(identity)), true);
      const keys = machine.io.files
        .list("/var/lib/firstlight/enroll")
        .filter((name) => /key-/.test(name));
      t.equal(keys.length, 1);
      return certificate.serialNumber;
    };
    t.comment(`${await lives(start)} lives to enrol`);
    let serial = whole();
    for (let renewal = 0; renewal < 3; renewal++) {
      world.clock.advance(18.1 * day);
      t.comment(`${await lives(start)} lives to renew`);
      const next = whole();
      t.not(next, serial);
      serial = next;
    }
    const nodes = await world.deps.store.nodes();
    t.match(nodes, [{ name: "edge-17", contested: null }]);
    t.equal(nodes.length, 1);
  },
);

t.test("killed at each effect and cut off at each request, by chance", async (t) => {
  const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? Date.now() % 1_000_000);
  t.comment(`FIRSTLIGHT_SEED=${seed}`);
  const random = randomFrom(seed);
  const chance = (of: number) => random() * of < 1;
  const world = await startEnrolment(t);
  const root = temporaryDirectory(t, "firstlight-enrol-");
  const token = await world.token({});
  let renewals = 0;
  for (let life = 0; life < 400 && renewals < 8; life++) {
    const machine = world.machine({
      ...{ via: ["token"], token, root },
      onEffect: () => {
        if (chance(6)) throw new Death();
      },
    });
    machine.fault = () => (chance(4) ? (chance(2) ? "before" : "after") : undefined);
    try {
      const outcome = await machine.run();
      t.equal(outcome.kind, "enrolled", `life ${life}`);
      renewals += 1;
      world.clock.advance(18.1 * day);
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (!(error instanceof Death) && code !== "enroll/unreachable") throw error;
    }
  }
  t.equal(renewals, 8);
  t.match(await world.deps.store.nodes(), [{ name: "edge-17", contested: null }]);
});

t.test(
  "real processes: the node killed at each effect, the server each time it has answered",
  async (t) => {
    const directory = temporaryDirectory(t, "firstlight-fleet-");
    const url = `https://localhost:${await freePort()}`;
    fleet(directory, "init", "--fleet", "demo", "--url", url);
    const ca = readFileSync(path.join(directory, "ca.pem"), "utf8");
    const token = fleet(directory, "token", "--node", "edge-1", "--instance", "i-1");
    const node = machine(t, { url, ca, instanceId: "i-1", token });
    let server = await serve(t, directory);
    for (const verb of [[], ["--renew"]]) {
      for (let dieAt = 1; ; dieAt++) {
        if (dieAt > 40) throw new Error("it never lives to the end");
        const args = ["enroll", ...verb, "--once", "--root", node.root];
        const { code, stderr } = firstlight(args, "", { FIRSTLIGHT_DIE_AT_EFFECT: String(dieAt) });
        if (code === 0) break;
        t.equal(code, null, `killed at effect ${dieAt}: ${stderr}`);
        const gone = once(server, "exit");
        server.kill("SIGKILL");
        await gone;
        server = await serve(t, directory);
      }
      const identity = node.identity();
      t.equal(new X509Certificate(identity).checkPrivateKey(keyIn(identity)), true);
    }
    const { nodes } = JSON.parse(fleet(directory, "list", "--json"));
    t.match(nodes, [{ name: "edge-1", contested: null }]);
    t.equal(nodes.length, 1);
  },
);
