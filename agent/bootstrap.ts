import { isFault } from "#core/fault.ts";
import type { ExecRequest, Files, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { type NetworkdFile, networkdFiles } from "#provisioner/render/network.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { hasNetworkd, hasRouter, networkRequests } from "./bootstrap-by-ip.ts";
import type { SaidNetwork } from "./datasources/network/said-network.ts";
import { defaultUserName } from "./default-user.ts";
import { readPinnedInstance } from "./pinned-instance.ts";

/** Where systemd-networkd reads what holds until the next boot. */
const networkDirectory = "/run/systemd/network";
/** Names of the files that were written to {@link networkDirectory}. */
const networkListFile = "/run/firstlight/bootstrap-network.json";
/** Where sshd looks for keys that hold until the next boot (`nixos/module.nix`). */
const keysDirectory = "/run/firstlight/authorized_keys";

/** What the bootstrap layer did. */
export interface Bootstrapped {
  readonly skipped: boolean;
  readonly network: readonly string[];
  readonly keys: readonly string[];
  readonly hostname: string | null;
}

/**
 * Before anything is built: network, ssh keys and host name as the datasource says them, in /run
 * only, so that a first boot that fails leaves a machine that can be reached. Nothing once a
 * generation carries them: then {@link endBootstrap} takes it away.
 */
export async function bootstrap(
  io: Io,
  log: Log,
  resolve: () => Promise<Translation>,
): Promise<Bootstrapped> {
  if (readPinnedInstance(io.files) !== undefined) {
    return { skipped: true, network: [], keys: [], hostname: null };
  }
  const { spec } = await resolve();
  const network = writeNetwork(io, spec);
  const keys = writeKeys(io, spec);
  const hostname = spec.hostname === undefined ? null : await setHostname(io, log, spec.hostname);
  log.info("bootstrap.finished", { network: network.length, keys: keys.length, hostname });
  return { skipped: false, network, keys, hostname };
}

/** After what an image says of single cards, before what NixOS says of all (`99-ethernet-default-dhcp`). */
const linkLocalFile: NetworkdFile = {
  name: "90-firstlight-link-local.network",
  content: "[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\nLinkLocalAddressing=yes\n",
};

/**
 * The same for a machine whose metadata service takes an address of the link, which nobody leases: each card
 * that nothing is said of takes one, and a lease where there is one. The boot brings up the rest.
 */
export function bootstrapLinkLocal({ files }: Io, log: Log): void {
  if (readPinnedInstance(files) !== undefined) return;
  writeFiles(files, [linkLocalFile]);
  log.info("bootstrap.link-local", { network: 1 });
}

/**
 * The network that the machine itself says, where the datasource is behind it and cannot be read yet: files
 * for systemd-networkd. What is wrong in it is told by the boot.
 */
export async function bootstrapNetwork(io: Io, log: Log, said: SaidNetwork): Promise<void> {
  if (readPinnedInstance(io.files) !== undefined) return;
  const network = writeNetwork(io, await specOf(said));
  log.info("bootstrap.network", { by: said.document, network: network.length });
}

/** The same by the boot itself, before it asks the datasource, where no systemd-networkd reads files. */
export async function bootstrapNetworkByIp(io: Io, log: Log, said: SaidNetwork): Promise<void> {
  const { files } = io;
  if (readPinnedInstance(files) !== undefined || hasNetworkd(files) || hasRouter(files)) return;
  if (files.stat("/run/systemd/system") === undefined) return;
  const requests = await requestsByIp(io, log, await specOf(said));
  for (const request of requests) await change(io, log, request);
  log.info("bootstrap.network", { by: said.document, network: requests.length });
}

async function specOf({ document, bytes }: SaidNetwork): Promise<Spec> {
  const { translate } = await import("#provisioner/userdata/translate.ts");
  const context = { hostname: null, publicKeys: [], defaultUser: defaultUserName };
  const networkConfig = bytes === undefined ? undefined : { document, bytes };
  return translate({ networkConfig }, { ...context, fetched: new Map() }).spec;
}

/**
 * Ends the layer, once a generation carries what it said: a key that is taken out of a later document
 * opens nothing any more. networkd goes on with the generation's files of the same names.
 */
export function endBootstrap({ files }: Io): void {
  files.remove(keysDirectory);
  for (const name of readNetworkList(files)) files.remove(`${networkDirectory}/${name}`);
  files.remove(networkListFile);
}

/** So long a network that was brought up late may take until there is a way out. */
const routeMs = 15_000;
const routeLookMs = 250;

/**
 * The same by the boot itself, where the seed came too late for it, or where no systemd-networkd reads what it
 * wrote: a machine whose network is up keeps it, one that has no way out gets what the datasource says, told
 * to networkd, else by `ip`, and a moment to come up. Nothing where systemd does not run, where the layer has
 * done it, or once a generation carries it.
 */
export async function bootstrapLate(
  io: Io,
  log: Log,
  resolve: () => Promise<Translation>,
): Promise<void> {
  const { files } = io;
  if (readPinnedInstance(files) !== undefined) return;
  if (files.stat("/run/systemd/system") === undefined) return;
  const { spec } = await resolve();
  const isRead = hasNetworkd(files);
  if (isBootstrapped(files, spec) && (isRead || hasRouter(files))) return;
  const hasRoute = async () =>
    (await import("./health/probe-kernel.ts")).probeRoute(io, { type: "route" }).passed;
  const isUp = isRead ? await hasRoute() : hasRouter(files);
  const keys = writeKeys(io, spec);
  const network = isUp ? [] : writeNetwork(io, spec);
  const hostname = spec.hostname === undefined ? null : await setHostname(io, log, spec.hostname);
  log.info("bootstrap.late", { network: network.length, keys: keys.length, hostname });
  if (network.length === 0) return;
  const reload = { file: "networkctl", args: ["reload"], timeoutMs: 15_000 };
  const requests = isRead
    ? [{ ...reload, effect: "reload the network" }]
    : await requestsByIp(io, log, spec);
  for (const request of requests) await change(io, log, request);
  if (requests.length === 0) return;
  const deadline = io.clock.monotonicMs() + routeMs;
  while (!(await hasRoute()) && io.clock.monotonicMs() < deadline)
    await io.clock.sleep(routeLookMs);
}

/** None where a program that says which interfaces there are is missing, which is told. */
async function requestsByIp(io: Io, log: Log, spec: Spec): Promise<readonly ExecRequest[]> {
  return networkRequests(io, spec).catch((error) => {
    if (!isFault(error)) throw error;
    log.warning("bootstrap.failed", { what: "set up the network", message: error.message });
    return [];
  });
}

/** Whether the network, and with it all else, is as this spec says. */
function isBootstrapped(files: Files, spec: Spec): boolean {
  if (files.stat(networkListFile) === undefined) return false;
  return networkdFiles(spec).every(
    ({ name, content }) => files.readText(`${networkDirectory}/${name}`) === content,
  );
}

function writeNetwork({ files }: Io, spec: Spec): readonly string[] {
  return writeFiles(files, networkdFiles(spec));
}

/**
 * The list is written first: what it names may not be there yet. It is there where the layer was, and names
 * what it wrote before as well.
 */
function writeFiles(files: Files, written: readonly NetworkdFile[]): readonly string[] {
  const names = written.map(({ name }) => name);
  const all = [...new Set([...readNetworkList(files), ...names])];
  files.write(networkListFile, `${JSON.stringify(all)}\n`, { mode: 0o644 });
  for (const { name, content } of written)
    files.write(`${networkDirectory}/${name}`, content, { mode: 0o644 });
  return names;
}

function readNetworkList(files: Files): readonly string[] {
  try {
    const names: unknown = JSON.parse(files.readText(networkListFile) ?? "[]");
    return Array.isArray(names) ? names.filter((name) => /^[^/]+$/.test(String(name))) : [];
  } catch {
    return []; // torn: gone with the machine's /run
  }
}

/**
 * Keys of accounts that exist already. Those of accounts that may become root, and do not exist yet,
 * go to root: before the first generation nobody else is there to log in as.
 */
function writeKeys(io: Io, spec: Spec): readonly string[] {
  const accounts = new Set(
    (io.files.readText("/etc/passwd") ?? "").split("\n").map((line) => line.split(":")[0]),
  );
  const byAccount = new Map<string, string[]>();
  for (const [name, user] of Object.entries(spec.users ?? {})) {
    const mayBecomeRoot = (user.sudo?.length ?? 0) > 0 || (user.groups ?? []).includes("wheel");
    const account = accounts.has(name) ? name : mayBecomeRoot ? "root" : undefined;
    if (account === undefined || user.authorizedKeys === undefined) continue;
    byAccount.set(account, [...(byAccount.get(account) ?? []), ...user.authorizedKeys]);
  }
  for (const [account, keys] of byAccount) {
    const lines = [...new Set(keys)].map((key) => key.replace(/[\r\n]+/g, " "));
    io.files.write(`${keysDirectory}/${account}`, `${lines.join("\n")}\n`, { mode: 0o644 });
  }
  return [...byAccount.keys()];
}

/**
 * The transient name only: NixOS owns /etc/hostname. By the kernel's file, because `hostname` is not
 * on the path of a unit. A name that cannot be set is no reason to stay unreachable.
 */
async function setHostname(io: Io, log: Log, name: string): Promise<string | null> {
  if (io.files.root !== "/") return null;
  const tee = { file: "tee", args: ["/proc/sys/kernel/hostname"], stdin: name };
  const isSet = await change(io, log, { ...tee, timeoutMs: 5_000, effect: "hostname" });
  return isSet ? name : null;
}

/** Whether a program did its work; where not, that is told. */
async function change(io: Io, log: Log, request: ExecRequest): Promise<boolean> {
  const failed = (message: string) => {
    log.warning("bootstrap.failed", { what: request.effect, message });
    return false;
  };
  try {
    const { code, signal, stderr } = await io.exec(request);
    return code === 0 || failed(stderr.trim() || `${request.file} ended with ${code ?? signal}`);
  } catch (error) {
    if (!isFault(error)) throw error;
    return failed(error.message);
  }
}
