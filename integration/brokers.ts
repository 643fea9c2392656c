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
  /** Where WebSockets are taken; 0 where none are. */
  readonly webSocketPort: number;
  /** Whether sessions, queues and retained messages survive {@link Broker.kill}. */
  readonly durable: boolean;
  /** What it keeps lies there, and `mosquitto.log`. */
  readonly directory: string;
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
  /** Whether who connects must show a certificate of the same authority. */
  readonly asksForCertificate?: boolean;
  /** Whether MQTT is taken in WebSockets, at {@link Broker.webSocketPort} and `/mqtt`. */
  readonly webSocket?: boolean;
  /**
   * Lines of mosquitto's `acl_file`: what nobody is allowed by it is denied, and the name of a user is the only client
   * id that it may have. aedes knows none.
   */
  readonly access?: readonly string[];
  /** Whether everything survives {@link Broker.kill}; what mosquitto does when absent, and aedes cannot. */
  readonly durable?: boolean;
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
    const webSocketPort = options.webSocket === true ? await freePort() : 0;
    const ports = { port, webSocketPort };
    const launch =
      kind === "mosquitto"
        ? mosquittoCommand(directory, ports, options)
        : aedesCommand(directory, ports, options);
    const durable = kind === "mosquitto" && options.durable !== false;
    try {
      return await supervise(t, { kind, durable, directory, ...ports }, launch);
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

/** A certificate of a client by the same authority, and its key: PEM files. */
export function makeClientCertificate(
  t: Scope,
  { authority }: Certificates,
  name: string,
): Pick<Certificates, "certificate" | "key"> {
  const directory = temporaryDirectory(t, "firstlight-client-");
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", `/CN=${name}`);
  const authorityKey = path.join(path.dirname(authority), "ca.key");
  const by = ["-CA", authority, "-CAkey", authorityKey, "-set_serial", "7", "-days", "2"];
  openssl("x509", "-req", "-in", "request.pem", "-out", "certificate.pem", ...by);
  const at = (file: string) => path.join(directory, file);
  return { certificate: at("certificate.pem"), key: at("key.pem") };
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

/** Where a broker listens. */
type Ports = Pick<Broker, "port" | "webSocketPort">;

function mosquittoCommand(
  directory: string,
  { port, webSocketPort }: Ports,
  { users, tls, asksForCertificate, access, durable }: BrokerOptions,
): Launch {
  const secure = [
    ...(tls === undefined ? [] : [`certfile ${tls.certificate}`, `keyfile ${tls.key}`]),
    ...(tls === undefined || asksForCertificate !== true
      ? []
      : [`cafile ${tls.authority}`, "require_certificate true"]),
  ];
  const persistence = [
    "persistence true",
    `persistence_location ${directory}/`,
    "autosave_on_changes true",
    "autosave_interval 1",
  ];
  const lines = [
    "set_tcp_nodelay true",
    ...(durable === false ? [] : persistence),
    "max_queued_messages 100000",
    "log_dest stderr",
    `log_dest file ${directory}/mosquitto.log`,
    "log_type all",
    ...(process.geteuid?.() === 0 ? ["user root"] : []),
    ...(users === undefined
      ? ["allow_anonymous true"]
      : ["allow_anonymous false", `password_file ${directory}/passwords`]),
    ...(access === undefined ? [] : [`acl_file ${directory}/access`]),
    `listener ${port} 127.0.0.1`,
    ...(access === undefined ? [] : ["use_username_as_clientid true"]),
    ...secure,
    ...(webSocketPort === 0
      ? []
      : [`listener ${webSocketPort} 127.0.0.1`, "protocol websockets", ...secure]),
  ];
  for (const [index, [user, password]] of Object.entries(users ?? {}).entries()) {
    const args = ["-b", ...(index === 0 ? ["-c"] : []), `${directory}/passwords`, user, password];
    execFileSync("mosquitto_passwd", args, { stdio: "pipe" });
  }
  if (access !== undefined) writeFileSync(`${directory}/access`, `${access.join("\n")}\n`);
  const file = path.join(directory, "mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return { command: ["mosquitto", "-c", file], ready: /mosquitto version .* running/ };
}

function aedesCommand(directory: string, ports: Ports, options: BrokerOptions): Launch {
  const file = path.join(directory, "aedes.json");
  writeFileSync(file, JSON.stringify({ ...ports, ...options }));
  const script = fileURLToPath(new URL("aedes-broker.ts", import.meta.url));
  return { command: [process.execPath, script, file], ready: /listening/ };
}

async function supervise(
  t: Scope,
  place: Pick<Broker, "kind" | "durable" | "directory" | keyof Ports>,
  launch: Launch,
): Promise<Broker> {
  let child: ChildProcess | undefined;
  const broker: Broker = {
    ...place,
    host: "127.0.0.1",
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
