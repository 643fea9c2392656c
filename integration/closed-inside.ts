// Three machines by network namespaces: this one, the cloud before it, and a guest behind it. Says who
// reaches what of the cloud while rules of nftables come and go: node closed-inside.ts OPTIONS

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** What the parent asks for, as JSON in the argument. */
export interface ClosedOptions {
  /** Commands that the unit runs, as they stand in it. */
  readonly start: readonly string[];
  readonly stop: readonly string[];
  /** Number of the group that is let through. */
  readonly gid: number;
}

/** What came of each question, by who asked and what: `answered`, or an error's code. */
export type Reached = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What came of it, as JSON on standard output: by what was done before. */
export type ClosedAnswer = Readonly<Record<string, Reached>>;

const { start, stop, gid } = JSON.parse(process.argv[2] ?? "{}") as ClosedOptions;
const cloudScript = path.join(import.meta.dirname, "closed-cloud.ts");
const probeScript = path.join(import.meta.dirname, "closed-probe.ts");

function run(...[file, ...args]: readonly [string, ...string[]] | readonly string[]): void {
  const { status, stderr, error } = spawnSync(String(file), args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

const ends: (() => void)[] = [];

/** A network of its own, kept by a process. */
async function network(): Promise<{ readonly pid: string; in(...argv: string[]): void }> {
  const keeper = spawn("unshare", ["--net", "sleep", "120"], { stdio: "ignore" });
  ends.push(() => void keeper.kill());
  const pid = String(keeper.pid);
  const of = (which: string) => readlinkSync(`/proc/${which}/ns/net`);
  while (of(pid) === of("self")) await sleep(5);
  return { pid, in: (...argv) => run("nsenter", "-t", pid, "-n", ...argv) };
}

const cloud = await network();
const guest = await network();
run("ip", "link", "set", "lo", "up");
for (const [name, net, peer] of [
  ["up0", cloud, 1],
  ["down0", guest, 2],
] as const) {
  run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", net.pid);
  run("ip", "addr", "add", `192.0.${peer}.1/24`, "dev", name);
  run("ip", "-6", "addr", "add", `2001:db8:${peer}::1/64`, "dev", name, "nodad");
  run("ip", "link", "set", name, "up");
  net.in("ip", "link", "set", "lo", "up");
  net.in("ip", "addr", "add", `192.0.${peer}.2/24`, "dev", "eth0");
  net.in("ip", "-6", "addr", "add", `2001:db8:${peer}::2/64`, "dev", "eth0", "nodad");
  net.in("ip", "link", "set", "eth0", "up");
  net.in("ip", "route", "add", "default", "via", `192.0.${peer}.1`);
  net.in("ip", "-6", "route", "add", "default", "via", `2001:db8:${peer}::1`);
}
cloud.in("ip", "addr", "add", "169.254.169.254/32", "dev", "lo");
cloud.in("ip", "-6", "addr", "add", "fd00:ec2::254/128", "dev", "lo", "nodad");
run("ip", "route", "add", "169.254.169.254/32", "via", "192.0.1.2");
run("ip", "-6", "route", "add", "fd00:ec2::254/128", "via", "2001:db8:1::2");
writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");

const server = spawn("nsenter", ["-t", cloud.pid, "-n", process.execPath, cloudScript], {
  stdio: ["ignore", "pipe", "inherit"],
});
ends.push(() => void server.kill());
await once(server.stdout, "data");

const mostTries = 10;
/** Nobody's user and group. */
const nobody = 65_534;
const askers = {
  firstlight: { uid: nobody, gid },
  user: { uid: nobody, gid: nobody },
  root: {},
  guest: { through: guest.pid },
} as const;

async function reached(): Promise<Reached> {
  const all = Object.entries(askers).map(async ([name, asker]) => {
    const probe = [process.execPath, probeScript];
    const { through, ...who }: { through?: string; uid?: number; gid?: number } = asker;
    const [file = "", ...args] =
      through === undefined ? probe : ["nsenter", "-t", through, "-n", ...probe];
    const child = spawn(file, args, { ...who, stdio: ["ignore", "pipe", "inherit"] });
    return [name, JSON.parse(await text(child.stdout)) as Reached[string]] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

try {
  let before = await reached();
  // An interface that is new speaks no IPv6 until nobody else has its address.
  for (let tries = 0; tries < mostTries && JSON.stringify(before).includes("silent"); tries++)
    before = await reached();
  const answer: Record<string, Reached> = { before };
  run(...start);
  answer["closed"] = await reached();
  run(...start); // a reload
  for (const table of ["iptables", "ip6tables"]) {
    run(table, "-I", "OUTPUT", "-j", "ACCEPT");
    run(table, "-I", "FORWARD", "-j", "ACCEPT");
  }
  answer["beside iptables that let everything through"] = await reached();
  for (const table of ["iptables", "ip6tables"]) run(table, "-F");
  run("nft", "add", "table", "inet", "nixos-fw");
  run(...stop);
  answer["stopped"] = await reached();
  run("nft", "list", "table", "inet", "nixos-fw");
  run("nft", "flush", "ruleset");
  run(...start);
  answer["again after all rules were flushed"] = await reached();
  console.log(JSON.stringify(answer));
} finally {
  for (const end of ends) end();
}
