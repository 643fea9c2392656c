import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import t from "tap";
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
        readonly serviceConfig: { readonly LoadCredential: string };
      };
    };
  };
}

function gateway(bridge: PlainData): Gateway {
  return nixEvalJson(
    `(import ${root}/templates/mosquitto-gateway ${print(fromJson({ bridge }))}) { lib = import ${root}/integration/nixpkgs/lib; }`,
  ) as Gateway;
}

t.test(
  "a gateway with the password of its bridge speaks to the broker elsewhere",
  { skip },
  async (t) => {
    const tls = makeCertificates(t);
    const far = await startBroker(t, "mosquitto", { users: { gateway: canary }, tls });
    const bridge = {
      ...{ address: "localhost", port: far.port, topics: ["up/# out 1", "down/# in 1"] },
      ...{ username: "gateway", clientId: "edge 1", passwordFile: "/secrets/bridge" },
      authority: tls.authority,
    };
    const { services, systemd } = gateway(bridge);
    t.same(services.mosquitto.includeDirs, ["/run/mosquitto-bridge"]);
    t.same(services.mosquitto.bridges, {}, "it is not said twice");
    const unit = systemd.services["mosquitto-bridge"];
    t.equal(unit?.serviceConfig.LoadCredential, "password:/secrets/bridge");

    const directory = temporaryDirectory(t, "firstlight-gateway-");
    const at = (name: string) => path.join(directory, name);
    mkdirSync(at("credentials"));
    mkdirSync(at("run"));
    writeFileSync(at("credentials/password"), `${canary}\nno password\n`);
    execFileSync("bash", ["-euc", `umask 0077; ${unit?.script}`], {
      env: {
        PATH: "/usr/bin:/bin",
        ...{ CREDENTIALS_DIRECTORY: at("credentials"), RUNTIME_DIRECTORY: at("run") },
      },
    });
    t.equal(statSync(at("run/uplink.conf")).mode & 0o777, 0o600);
    t.match(readFileSync(at("run/uplink.conf"), "utf8"), `remote_password ${canary}\n`);

    const port = await freePort();
    const lines = ["log_dest stderr", `listener ${port} 127.0.0.1`, "allow_anonymous true"];
    const user = process.geteuid?.() === 0 ? ["user root"] : [];
    const text = [...lines, ...user, `include_dir ${at("run")}`]
      .map((line) => `${line}\n`)
      .join("");
    writeFileSync(at("mosquitto.conf"), text);
    const child = await launched({
      command: ["mosquitto", "-c", at("mosquitto.conf")],
      ready: /mosquitto version .* running/,
    });
    t.teardown(() => void child.kill("SIGKILL"));

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
