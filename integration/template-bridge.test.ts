import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import t, { type Test } from "tap";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { print } from "#provisioner/nix-language/print.ts";
import {
  brokerMissing,
  freePort,
  launched,
  makeCertificates,
  startBroker,
  temporaryDirectory,
} from "./brokers.ts";
import { nixEvalJson, skipWithoutNix } from "./nix-eval.ts";

const skip = brokerMissing("mosquitto") || skipWithoutNix();
const root = path.join(import.meta.dirname, "..");
const canary = 'bridge "canary" $(id) \\ end';

interface Gateway {
  readonly assertions: readonly { readonly assertion: boolean; readonly message: string }[];
  readonly services: {
    readonly mosquitto: {
      readonly includeDirs: readonly string[];
      readonly bridges: Readonly<Record<string, PlainData>>;
    };
  };
  readonly systemd: {
    readonly services: {
      readonly "mosquitto-bridge"?: {
        readonly script: string;
        readonly wantedBy: readonly string[];
        readonly requiredBy?: readonly string[];
        readonly before: readonly string[];
        readonly serviceConfig: Readonly<Record<string, PlainData>>;
      };
      readonly mosquitto?: { readonly restartTriggers: readonly string[] };
    };
  };
}

function gateway(bridge: PlainData): Gateway {
  return nixEvalJson(
    `(import ${root}/templates/mosquitto-gateway ${print(fromJson({ bridge }))}) { lib = import ${root}/integration/nixpkgs/lib; }`,
  ) as Gateway;
}

/** Runs what the unit of the bridge runs, as its unit does. */
function writeBridge(script: string | undefined, run: string) {
  const env = { PATH: "/usr/bin:/bin", RUNTIME_DIRECTORY: run };
  return spawnSync("bash", ["--norc", "-ec", `umask 0027; ${script}`], { env, encoding: "utf8" });
}

/** Starts the broker of the site; its port comes back. */
async function startGateway(t: Test, at: (name: string) => string): Promise<number> {
  const port = await freePort();
  const lines = ["log_dest stderr", `listener ${port} 127.0.0.1`, "allow_anonymous true"];
  const user = process.geteuid?.() === 0 ? ["user root"] : [];
  const text = [...lines, ...user, `include_dir ${at("run")}`].map((line) => `${line}\n`).join("");
  writeFileSync(at("mosquitto.conf"), text);
  const child = await launched({
    command: ["mosquitto", "-c", at("mosquitto.conf")],
    ready: /mosquitto version .* running/,
  });
  t.teardown(() => void child.kill("SIGKILL"));
  return port;
}

t.test(
  "a gateway with the password of its bridge speaks to the broker elsewhere",
  { skip },
  async (t) => {
    const directory = temporaryDirectory(t, "firstlight-gateway-");
    const at = (name: string) => path.join(directory, name);
    mkdirSync(at("run"));
    const tls = makeCertificates(t);
    const far = await startBroker(t, "mosquitto", { users: { gateway: canary }, tls });
    const bridge = {
      ...{ address: "localhost", port: far.port, topics: ["up/# out 1", "down/# in 1"] },
      ...{ username: "gateway", clientId: "edge 1", passwordFile: at("it's secret") },
      authority: tls.authority,
    };
    const { services, systemd } = gateway(bridge);
    t.same(services.mosquitto.includeDirs, ["/run/mosquitto-bridge"]);
    t.same(services.mosquitto.bridges, {}, "it is not said twice");

    writeFileSync(at("it's secret"), `${canary}\r\nno password\n`);
    const written = writeBridge(systemd.services["mosquitto-bridge"]?.script, at("run"));
    t.match(written, { status: 0, stderr: "" });
    t.equal(statSync(at("run/uplink.conf")).mode & 0o777, 0o640);
    t.match(readFileSync(at("run/uplink.conf"), "utf8"), `remote_password ${canary}\n`);

    const port = await startGateway(t, at);
    const near = await connectAsync({ host: "127.0.0.1", port });
    t.teardown(() => near.endAsync(true));
    const beyond = await connectAsync({
      ...{ protocol: "mqtts", host: "127.0.0.1", port: far.port },
      ...{ username: "gateway", password: canary, ca: readFileSync(tls.authority) },
    });
    t.teardown(() => beyond.endAsync(true));
    await beyond.subscribeAsync("up/#", { qos: 1 });
    await near.subscribeAsync("down/#", { qos: 1 });
    const up = received(beyond);
    await near.publishAsync("up/word", "from the edge", { qos: 1 });
    t.equal(await up, "from the edge");
    // Retained, so that it waits there for the bridge's own subscription.
    const down = received(near);
    await beyond.publishAsync("down/word", "to the edge", { qos: 1, retain: true });
    t.equal(await down, "to the edge");
  },
);

/** The next message. */
function received(client: MqttClient): Promise<string> {
  return new Promise((resolve) => client.once("message", (_, payload) => resolve(String(payload))));
}

t.test("without a password that can be used the broker goes on alone", { skip }, async (t) => {
  const directory = temporaryDirectory(t, "firstlight-gateway-");
  const at = (name: string) => path.join(directory, name);
  mkdirSync(at("run"));
  const bridge = { address: "localhost", port: 1, topics: ["a out"], username: "gateway" };
  const { systemd } = gateway({ ...bridge, passwordFile: at("password") });
  const unit = systemd.services["mosquitto-bridge"];
  t.same(unit?.wantedBy, ["mosquitto.service"]);
  t.same(unit?.before, ["mosquitto.service"]);
  t.equal(unit?.requiredBy, undefined, "the broker does not need it");
  t.equal(unit?.serviceConfig["TimeoutStartSec"], "1min", "nor does it wait for ever");

  const bad: Readonly<Record<string, string | Uint8Array>> = {
    "an empty file": "",
    "an empty line": "\nsecond\n",
    "a tab": "a\tb\n",
    "no UTF-8": Buffer.from([0x61, 0xff, 0x0a]),
  };
  for (const [what, password] of Object.entries(bad)) {
    writeFileSync(at("password"), password);
    writeFileSync(at("run/uplink.conf"), "of the start before");
    const { status, stderr } = writeBridge(unit?.script, at("run"));
    t.equal(status, 1, what);
    t.match(stderr, /the bridge is off: the first line of \S+\/password is no text/, what);
    t.notOk(existsSync(at("run/uplink.conf")), what);
  }
  rmSync(at("password"));
  const { status, stderr } = writeBridge(unit?.script, at("run"));
  t.equal(status, 1);
  t.match(stderr, /password.*No such file or directory/);

  const port = await startGateway(t, at);
  const near = await connectAsync({ host: "127.0.0.1", port });
  t.teardown(() => near.endAsync(true));
  await near.subscribeAsync("a", { qos: 1 });
  const heard = received(near);
  await near.publishAsync("a", "at the site", { qos: 1 });
  t.equal(await heard, "at the site");
});

t.test(
  "the broker starts again with another bridge, which it reads when it starts",
  { skip },
  (t) => {
    const bridge = { address: "a.example", topics: ["a out"], username: "b", passwordFile: "/p" };
    const triggers = (more: { readonly [key: string]: PlainData }) =>
      gateway({ ...bridge, ...more }).systemd.services.mosquitto?.restartTriggers;
    const first = triggers({});
    t.match(first, [/^[0-9a-f]{64}$/]);
    t.same(triggers({}), first);
    t.notSame(triggers({ topics: ["b out"] }), first);
    t.notSame(triggers({ passwordFile: "/q" }), first);
    t.end();
  },
);

t.test("without a password a bridge is NixOS's own", { skip }, (t) => {
  const { services, systemd } = gateway({ address: "broker.example.org", topics: ["a out"] });
  t.same(systemd.services, {});
  t.same(services.mosquitto.includeDirs, []);
  t.match(services.mosquitto.bridges["uplink"], {
    topics: ["a out"],
    settings: { bridge_cafile: "/etc/ssl/certs/ca-certificates.crt" },
  });
  t.end();
});

t.test("a password without an account is told", { skip }, (t) => {
  const { assertions } = gateway({ address: "a.example", topics: ["a out"], passwordFile: "/p" });
  t.match(
    assertions.filter(({ assertion }) => !assertion).map(({ message }) => message),
    [/no username; give both/],
  );
  t.end();
});
