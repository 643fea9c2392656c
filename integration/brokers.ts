import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A real broker on loopback. */
export interface Broker {
  readonly kind: "mosquitto" | "aedes";
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Whether sessions, queues and retained messages survive {@link Broker.kill}. */
  readonly durable: boolean;
  /** Kills the process as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it kept. */
  start(): Promise<void>;
}

/** Who may connect, and how. */
export interface BrokerOptions {
  /** Passwords by user name; everybody when absent. */
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: Certificates;
}

/** PEM files of a broker and the authority that signed its certificate. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** What ends with a test. */
interface Scope {
  teardown(end: () => void | Promise<void>): void;
}

export const brokerKinds = ["mosquitto", "aedes"] as const;

/**
 * For tap's `skip`: the programs that a broker's tests need and that are not here, or `false`. Under
 * `CI=true` always `false`, so that the tests fail instead.
 */
export function brokerMissing(kind: Broker["kind"]): string | false {
  const needed = ["openssl", ...(kind === "mosquitto" ? ["mosquitto", "mosquitto_passwd"] : [])];
  const directories = searchPath.split(":");
  const missing = needed.filter(
    (name) => !directories.some((directory) => existsSync(path.join(directory, name))),
  );
  return missing.length > 0 && process.env["CI"] !== "true" && `needs ${missing.join(", ")}`;
}

/** Debian keeps mosquitto where only root's PATH looks. */
const searchPath = `${process.env["PATH"]}:/usr/sbin`;
const startTimeoutMs = 15_000;
const portTries = 5;

/** Starts a broker that ends with the test. Throws when the program is missing or does not come up. */
export async function startBroker(
  t: Scope,
  kind: Broker["kind"],
  options: BrokerOptions = {},
): Promise<Broker> {
  const directory = temporaryDirectory(t, "firstlight-broker-");
  for (let tries = 1; ; tries++) {
    // mosquitto cannot choose a port by itself, so that another program may be quicker to take it.
    const port = await freePort();
    const launch =
      kind === "mosquitto"
        ? mosquittoCommand(directory, port, options)
        : aedesCommand(directory, port, options);
    try {
      return await supervise(t, kind, port, launch);
    } catch (error) {
      if (tries === portTries) throw error;
    }
  }
}

/** An authority and a certificate for 127.0.0.1 and localhost, made by openssl. */
export function makeCertificates(t: Scope): Certificates {
  const directory = temporaryDirectory(t, "firstlight-ca-");
  const at = (name: string) => path.join(directory, name);
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  );
  openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
  writeFileSync(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const sign = [
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    "names",
  ];
  openssl("x509", "-req", "-in", "request.pem", "-out", "certificate.pem", ...sign);
  return { authority: at("ca.pem"), certificate: at("certificate.pem"), key: at("key.pem") };
}

/** A port of loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A directory that is removed when the test ends. */
export function temporaryDirectory(t: Scope, prefix: string): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), prefix));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** How to start a server, and the line with which it says that it listens. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  readonly ready: RegExp;
}

function mosquittoCommand(directory: string, port: number, { users, tls }: BrokerOptions): Launch {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "set_tcp_nodelay true",
    "persistence true",
    `persistence_location ${directory}/`,
    "autosave_on_changes true",
    "autosave_interval 1",
    "max_queued_messages 100000",
    "log_dest stderr",
    "log_type all",
    ...(process.geteuid?.() === 0 ? ["user root"] : []),
    ...(users === undefined
      ? ["allow_anonymous true"]
      : ["allow_anonymous false", `password_file ${directory}/passwords`]),
    ...(tls === undefined ? [] : [`certfile ${tls.certificate}`, `keyfile ${tls.key}`]),
  ];
  for (const [index, [user, password]] of Object.entries(users ?? {}).entries()) {
    const args = ["-b", ...(index === 0 ? ["-c"] : []), `${directory}/passwords`, user, password];
    execFileSync("mosquitto_passwd", args, { stdio: "pipe" });
  }
  const file = path.join(directory, "mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return { command: ["mosquitto", "-c", file], ready: /mosquitto version .* running/ };
}

function aedesCommand(directory: string, port: number, options: BrokerOptions): Launch {
  const file = path.join(directory, "aedes.json");
  writeFileSync(file, JSON.stringify({ port, ...options }));
  const script = fileURLToPath(new URL("aedes-broker.ts", import.meta.url));
  return { command: [process.execPath, script, file], ready: /listening/ };
}

async function supervise(
  t: Scope,
  kind: Broker["kind"],
  port: number,
  launch: Launch,
): Promise<Broker> {
  let child: ChildProcess | undefined;
  const broker: Broker = {
    kind,
    host: "127.0.0.1",
    port,
    durable: kind === "mosquitto",
    async kill() {
      const dying = child;
      child = undefined;
      if (dying === undefined || dying.exitCode !== null) return;
      const gone = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill("SIGKILL");
      await gone;
    },
    async start() {
      child = await launched(launch);
    },
  };
  await broker.start();
  t.teardown(() => broker.kill());
  return broker;
}

/** The process of a server that listens. Throws when it does not come up. */
export function launched({ command: [file, ...args], ready }: Launch): Promise<ChildProcess> {
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: searchPath },
  });
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new Error(`${file}: ${why}: ${said.slice(-5).join(" | ")}`));
    };
    const late = setTimeout(() => fail("did not come up"), startTimeoutMs);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        if (said.length < 1000) said.push(line);
        if (!ready.test(line)) return;
        clearTimeout(late);
        child.removeAllListeners("exit");
        resolve(child);
      });
    }
  });
}
