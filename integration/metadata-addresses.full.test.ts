import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { ec2Nitro } from "./machines/ec2-nitro.ts";
import type { Machine } from "./machines/machine.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";
import type { InsideAnswer, InsideOptions } from "./metadata-inside.ts";
import { hasBundle } from "./story.ts";

t.setTimeout(300_000);

const script = path.join(import.meta.dirname, "metadata-inside.ts");
const ipv4 = "169.254.169.254";
const ipv6 = "fd00:ec2::254";
/** An address that a link has for itself, here at the other end of this machine's only one. */
const linkLocal = "fe80::a9fe:a9fe%cloud0";

const hetznerCloud: Machine = {
  ...qemuQ35,
  dmi: { sys_vendor: "Hetzner", product_name: "vServer", product_serial: "123456" },
};

/** A network that is this machine's alone, with the addresses of the services in it. */
const network = `ip link set lo up
ip addr add ${ipv4}/32 dev lo
ip -6 addr add ${ipv6}/128 dev lo nodad
ip link add eth0 type veth peer name cloud0
ip link set eth0 up
ip link set cloud0 up
ip -6 addr add fe80::1/64 dev eth0 nodad
ip -6 addr add ${linkLocal.replace("%", "/64 dev ")} nodad
exec "$@"`;

function why(): string | false {
  if (process.env["CI"] === "true") return false;
  if (process.getuid?.() !== 0) return "SKIPPED: a network namespace needs root";
  if (!hasBundle) return "SKIPPED: needs the bundle (npm run build)";
  return spawnSync("unshare", ["--net", "ip", "link"]).status === 0
    ? false
    : "SKIPPED: needs network namespaces, and ip (Debian: iproute2)";
}

const skip = why();

interface Asked extends Omit<InsideOptions, "root"> {
  readonly machine: Machine;
}

async function ask(t: Test, { machine, ...options }: Asked): Promise<InsideAnswer> {
  const root = t.testdir({});
  writeMachine(root, machine);
  const inside: InsideOptions = { ...options, root };
  const argv = ["--net", "sh", "-ec", network, "sh", process.execPath, script];
  const child = spawn("unshare", [...argv, JSON.stringify(inside)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const said = await text(child.stdout);
  if (child.exitCode === null) await once(child, "exit");
  return JSON.parse(said) as InsideAnswer;
}

/** Each set of addresses that answers; what is asked first is told by the kernel, not by us. */
const answering = [
  { cloud: "ec2", machine: ec2Nitro },
  { cloud: "hetzner", machine: hetznerCloud },
] as const;
const hostsOf = {
  ec2: [[ipv4], [ipv6], [ipv4, ipv6]],
  hetzner: [[ipv4], [linkLocal], [linkLocal, ipv4]],
} as const;
const expected = {
  ec2: { name: "Ec2", instanceId: "i-0123456789abcdef0" },
  hetzner: { name: "Hetzner", instanceId: "123456" },
} as const;

for (const { cloud, machine } of answering) {
  for (const hosts of hostsOf[cloud]) {
    t.test(`${cloud}: its service is found at ${hosts.join(" and ")}`, { skip }, async (t) => {
      const { code, stdout, stderr, requests } = await ask(t, { cloud, machine, hosts });
      t.equal(code, 0, stderr);
      const { name, instanceId } = expected[cloud];
      const { datasource, ...instance } = found(stdout);
      t.match(instance, { instanceId });
      t.equal(datasource.name, name);
      t.ok(hosts.map(placeOf).includes(datasource.place), datasource.place);
      t.ok(Object.values(requests).some((asked) => asked.length > 2));
    });
  }
}

/** The firmware of both machines says which one they are: neither is taken in by a neighbour. */
const anybody = [
  ...["page", "refusal", "nothing", "failure", "silence", "bytes", "neighbour"],
] as const;

/** Two addresses of one cloud, of which another answers at the first. */
const beside = [
  { ...answering[0], rogue: ipv4, right: ipv6, answers: anybody },
  { ...answering[0], rogue: ipv6, right: ipv4, answers: anybody },
  { ...answering[1], rogue: linkLocal, right: ipv4, answers: anybody },
  { ...answering[1], rogue: ipv4, right: linkLocal, answers: anybody },
] as const;

for (const { cloud, machine, rogue, right, answers } of beside) {
  t.test(`${cloud}: another that answers at ${rogue} first is passed over`, { skip }, async (t) => {
    for (const as of answers) {
      const answer = await ask(t, {
        ...{ cloud, machine, hosts: [right], rogue: { host: rogue, as } },
      });
      t.equal(answer.code, 0, `${as}: ${answer.stderr}`);
      const { datasource, instanceId } = found(answer.stdout);
      t.match({ ...datasource, instanceId }, { ...expected[cloud], place: placeOf(right) }, as);
      t.ok((answer.requests[rogue] ?? []).length > 0, `${as}: it was asked`);
    }
  });
}

t.test("a machine that is on no cloud asks nobody, whoever would answer", { skip }, async (t) => {
  const answer = await ask(t, { cloud: "ec2", machine: qemuQ35, hosts: [ipv4, ipv6] });
  t.not(answer.code, 0);
  t.match(answer.stdout, /datasource\/none/);
  t.strictSame(answer.requests, { [ipv4]: [], [ipv6]: [] });
});

/** The address as a place says it, without the link. */
function placeOf(host: string): string {
  return `http://${host.includes(":") ? `[${host.replace(/%.*/, "")}]` : host}`;
}

interface Found {
  readonly instanceId: string;
  readonly datasource: { readonly name: string; readonly place: string };
}

function found(stdout: string): Found {
  return (JSON.parse(stdout) as { readonly instance: Found }).instance;
}
