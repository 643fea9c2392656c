import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import mqtt from "mqtt";
import t, { type Test } from "tap";
import { entry } from "#cli/try-commands.ts";
import { brokerMissing, freePort, launched, temporaryDirectory } from "./brokers.ts";
import { fleet, machine, serve } from "./enrol-processes.ts";

t.setTimeout(180_000);
const skip = brokerMissing("mosquitto");

t.test(
  "from an empty directory to nodes at a broker that knows them by their certificates",
  { skip },
  async (t) => {
    const directory = temporaryDirectory(t, "firstlight-fleet-");
    const url = `https://localhost:${await freePort()}`;
    fleet(directory, "init", "--fleet", "demo", "--url", url);
    const server = await serve(t, directory);
    const ca = readFileSync(path.join(directory, "ca.pem"), "utf8");
    const nodes = [];
    for (const node of ["edge-1", "edge-2"]) {
      const instanceId = `i-${node}`;
      const token = fleet(directory, "token", "--node", node, "--instance", instanceId);
      const each = machine(t, { url, ca, instanceId, token });
      const { code, stdout, stderr } = await each.enroll("--json");
      t.equal(code, 0, stderr);
      t.match(JSON.parse(stdout), { node, fleet: "demo" });
      nodes.push(each);
    }
    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new Error("two machines");

    // A person approves the third one from its code.
    const third = machine(t, { url, ca, instanceId: "i-edge-3", token: "" });
    const waiting = third.enroll("--json");
    let code: string | undefined;
    for (let tries = 0; code === undefined && tries < 200; tries++) {
      const { pending } = JSON.parse(fleet(directory, "list", "--json"));
      code = pending[0]?.code;
    }
    t.equal((await third.enroll("--once")).code, 75, "one try says to try again");
    fleet(directory, "approve", code ?? "", "--node", "edge-3");
    t.match(JSON.parse((await waiting).stdout), { node: "edge-3" });
    t.match(fleet(directory, "list"), /edge-1 .*\nedge-2 .*\nedge-3 /);

    const broker = await startMosquitto(t, directory);
    const base = "firstlight/1/demo";
    const one = await connected(t, broker, ca, first.identity(), "edge-1");
    // mosquitto grants every subscription, and looks at the rights when there is something to bring.
    const brought: string[] = [];
    one.on("message", (topic) => brought.push(topic));
    await one.subscribeAsync(["#", `${base}/+/desired`, `${base}/edge-2/#`, "$SYS/#"], { qos: 1 });
    const operator = await connected(t, broker, ca, third.identity(), "edge-3");
    const all = ["desired", "cmd/ping", "ack", "status", "event/x"];
    for (const node of ["edge-2", "edge-1"])
      for (const name of all)
        await operator.publishAsync(`${base}/${node}/${name}`, "x", { qos: 1 });
    for (let waits = 0; brought.length < 3 && waits < 100; waits++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const own = ["desired", "cmd/ping", "ack"].map((name) => `${base}/edge-1/${name}`);
    t.strictSame(
      [...new Set(brought)],
      own,
      "only what is for it, and nothing that it says itself",
    );
    t.equal(await publishes(one, `${base}/edge-1/status`), true);
    t.equal(await publishes(one, `${base}/edge-1/event/boot.finished`), true);
    for (const topic of [
      `${base}/edge-2/status`,
      `${base}/edge-1/desired`,
      `${base}/edge-1`,
      `${base}/edge-1/event/a/b`,
    ])
      t.equal(await publishes(one, topic), false, `not ${topic}`);
    await one.endAsync();

    await t.rejects(connected(t, broker, ca, undefined, "edge-1"), "nobody without a certificate");
    const authority = path.join(directory, "server.pem");
    const stranger =
      readFileSync(authority, "utf8") + readFileSync(path.join(directory, "server.key"), "utf8");
    await t.rejects(connected(t, broker, ca, stranger, "edge-1"), "no server stands in for a node");

    t.match(fleet(directory, "access"), /^user edge-2$/m);
    fleet(directory, "revoke", "edge-2");
    t.notMatch(fleet(directory, "access"), /edge-2/, "its rights go as well");
    t.match(fleet(directory, "list"), /^edge-2 .* revoked$/m);
    await broker.stop();
    const again = await startMosquitto(t, directory);
    await t.rejects(
      connected(t, again, ca, second.identity(), "edge-2"),
      "nobody whose certificate is revoked",
    );
    await (await connected(t, again, ca, first.identity(), "edge-1")).endAsync();

    // The daemon enrols by itself where it may.
    const token = fleet(directory, "token", "--node", "edge-5", "--instance", "i-5");
    const fifth = machine(t, { url, ca, instanceId: "i-5", token });
    const agent = spawn(process.execPath, [entry, "agent", "--root", fifth.root], {
      stdio: "ignore",
    });
    t.teardown(() => void agent.kill("SIGKILL"));
    for (let waits = 0; !fifth.isEnrolled() && waits < 300; waits++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    t.match(new X509Certificate(fifth.identity()).subject, /^CN=edge-5$/m);
    agent.kill("SIGTERM");
    t.strictSame(await once(agent, "exit"), [0, null], "and ends when it is told to");

    // The server killed, and started again: nobody notices.
    const dead = once(server, "exit");
    server.kill("SIGKILL");
    await dead;
    t.equal((await first.enroll()).code, 0, "a node that has what it needs asks nobody");
    t.equal(
      (await machine(t, { url, ca, instanceId: "i-4", token: "" }).enroll("--once")).code,
      75,
    );
  },
);

interface Mosquitto {
  readonly port: number;
  stop(): Promise<void>;
}

/** mosquitto as docs/enrolment.md sets it up: certificates only, the name from the certificate, a list of rights. */
async function startMosquitto(t: Test, directory: string): Promise<Mosquitto> {
  const at = temporaryDirectory(t, "firstlight-mosquitto-");
  fleet(directory, "certificate", "localhost", "--out", at);
  // Who speaks for the fleet has an account of its own; here the third node lends its certificate.
  const operator = "user edge-3\ntopic write firstlight/1/demo/#\n";
  writeFileSync(path.join(at, "acl"), `${fleet(directory, "access")}\n${operator}`);
  writeFileSync(path.join(at, "crl.pem"), fleet(directory, "crl"));
  const port = await freePort();
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${directory}/ca.pem`,
    `crlfile ${at}/crl.pem`,
    `certfile ${at}/server.pem`,
    `keyfile ${at}/server.key`,
    "tls_version tlsv1.3",
    "require_certificate true",
    "use_identity_as_username true",
    "use_username_as_clientid true",
    "allow_anonymous false",
    `acl_file ${at}/acl`,
    "log_dest stderr",
    ...(process.geteuid?.() === 0 ? ["user root"] : []),
  ];
  writeFileSync(path.join(at, "mosquitto.conf"), `${lines.join("\n")}\n`);
  const command = ["mosquitto", "-c", path.join(at, "mosquitto.conf")] as const;
  const child = await launched({ command, ready: /mosquitto version .* running/ });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  t.teardown(stop);
  return { port, stop };
}

async function connected(
  t: Test,
  { port }: Mosquitto,
  ca: string,
  identity: string | undefined,
  clientId: string,
): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(
    `mqtts://localhost:${port}`,
    {
      ...{ ca, clientId, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 10_000 },
      ...(identity === undefined ? {} : { cert: identity, key: identity }),
    },
    false,
  );
  t.teardown(() => client.end(true));
  return client;
}

async function publishes(client: mqtt.MqttClient, topic: string): Promise<boolean> {
  try {
    const packet = await client.publishAsync(topic, "x", { qos: 1 });
    return ((packet as { readonly reasonCode?: number } | undefined)?.reasonCode ?? 0) < 128;
  } catch {
    return false;
  }
}
