import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type FakeFleet, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { launched, temporaryDirectory } from "../brokers.ts";
import { type FleetListener, listen } from "../fleet-listener.ts";
import type { Argv } from "../nix-machine.ts";
import { type Answer, ask, isStale, onHost, type Scope } from "./host.ts";
import { machinePath } from "./machine.ts";
import { type LabNetwork, labNetwork, lan, six, sixBridge } from "./network.ts";

/** What surrounds a machine: its network, a real broker, the fleet's ear, metadata, a person's ssh. */
export interface Lab {
  /** For what belongs to this lab; removed with it. */
  readonly directory: string;
  readonly network: LabNetwork;
  readonly fleet: FleetListener;
  /** What the fleet signs for the machine. */
  readonly signer: FakeFleet;
  /** The public key of whoever is at the other end of `ssh`. */
  readonly publicKey: string;
  /** Runs a program on the machine as its root, from outside, by key only. */
  ssh(argv: Argv): Promise<Answer>;
  /** What the metadata service says from now on, texts by path. */
  serveMetadata(documents: Readonly<Record<string, string>>): void;
}

const prefix = "firstlight-boot-";

export interface LabOptions {
  /** For what a machine takes its time for. */
  readonly waitMs?: number;
  /** Whether the second network has a router that tells of itself, and metadata at EC2's address of IPv6. */
  readonly hasRouter?: boolean;
}

/** Opens a lab; everything of it ends with the test. */
export async function openLab(
  t: Scope,
  { waitMs = 180_000, hasRouter = false }: LabOptions = {},
): Promise<Lab> {
  await removeStale();
  const directory = temporaryDirectory(t, `${prefix}${process.pid}-`);
  const network = await labNetwork(t);
  const broker = await startBroker(t, directory, network);
  const serveMetadata = (documents: Readonly<Record<string, string>>) =>
    writeFileSync(path.join(directory, "metadata.json"), JSON.stringify(documents));
  serveMetadata({});
  await startMetadata(t, lan.metadata, { directory, network });
  if (hasRouter) {
    await startMetadata(t, six.metadata, { directory, network });
    await startRouter(t, network);
  }
  const key = path.join(directory, "key");
  await onHost(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", key]);
  return {
    directory,
    network,
    signer: fakeFleet({ nowMs: Date.now(), node: { fleet: "boots", node: "edge-1" } }),
    fleet: await listen(t, { path: broker, unixSocket: true }, { waitMs }),
    publicKey: readFileSync(`${key}.pub`, "utf8").trim(),
    serveMetadata,
    ssh: (argv) => ask(network.outside(sshCommand(key, argv))),
  };
}

async function removeStale(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => isStale(entry, prefix))) {
    await onHost(["rm", "-rf", "--one-file-system", "--", path.join(tmpdir(), name)]);
  }
}

/** mosquitto, for the machine by TCP and for us by a socket, which no namespace of networks hides. */
async function startBroker(t: Scope, directory: string, network: LabNetwork): Promise<string> {
  const socket = path.join(directory, "broker");
  const lines = [
    "listener 1883",
    "allow_anonymous true",
    `listener 0 ${socket}`,
    "allow_anonymous true",
    "user root",
    "log_dest stderr",
  ];
  const file = path.join(directory, "mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const command = network.outside(["mosquitto", "-c", file]);
  const child = await launched({ command, ready: /mosquitto version .* running/ });
  t.teardown(() => void child.kill("SIGKILL"));
  return socket;
}

async function startMetadata(
  t: Scope,
  address: string,
  { directory, network }: Pick<Lab, "directory" | "network">,
): Promise<void> {
  const server = fileURLToPath(new URL("imds-server.ts", import.meta.url));
  const args = [server, address, path.join(directory, "metadata.json")];
  const command = network.outside([process.execPath, ...args]);
  const child = await launched({ command, ready: /listening/ });
  t.teardown(() => void child.kill("SIGKILL"));
}

async function startRouter(t: Scope, network: LabNetwork): Promise<void> {
  const router = fileURLToPath(new URL("router.pl", import.meta.url));
  const command = network.outside(["perl", router, sixBridge, six.prefix]);
  const child = await launched({ command, ready: /advertising/ });
  t.teardown(() => void child.kill("SIGKILL"));
}

/** Knows no host and remembers none: every machine of a lab is a new one at the same address. */
function sshCommand(key: string, argv: Argv): Argv {
  const options = [
    ...["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
    ...["ConnectTimeout=20", "LogLevel=ERROR", "IdentitiesOnly=yes"],
  ].flatMap((option) => ["-o", option]);
  const remote = ["env", `PATH=${machinePath}`, ...argv].map(quoted).join(" ");
  return ["ssh", "-F", "none", ...options, "-i", key, `root@${lan.machine}`, "--", remote];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
