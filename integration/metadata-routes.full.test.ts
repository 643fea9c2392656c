import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import type { RoutesAnswer } from "./metadata-routes-inside.ts";

t.setTimeout(120_000);

const script = path.join(import.meta.dirname, "metadata-routes-inside.ts");
const server = path.join(import.meta.dirname, "boot/imds-server.ts");

/**
 * A machine with two networks that both offer the way to everywhere. In the preferred one nobody has the
 * service, in the other one it is behind the router. Packets that come by another interface than answers
 * would leave by are dropped, as NixOS has it.
 */
const networks = `
first= second= service=
trap 'kill $first $second $service 2>/dev/null' EXIT
own=$(readlink /proc/self/ns/net)
unshare --net sleep 120 & first=$!
unshare --net sleep 120 & second=$!
for pid in $first $second; do
  until [ "$(readlink /proc/$pid/ns/net)" != "$own" ]; do sleep 0.02; done
done
ip link set lo up
n=1
for pid in $first $second; do
  there="nsenter --net --target $pid"
  ip link add eth$n type veth peer name cloud netns $pid
  ip addr add 192.0.2.$n/32 dev eth$n
  ip -6 addr add 2001:db8:$n::2/64 dev eth$n nodad
  ip link set eth$n up
  $there ip link set lo up
  $there ip addr add 198.51.100.$n/32 dev cloud
  $there ip -6 addr add 2001:db8:$n::1/64 dev cloud nodad
  $there ip -6 addr add fe80::1/64 dev cloud nodad
  $there ip link set cloud up
  $there ip route add 192.0.2.$n/32 dev cloud
  ip route add default via 198.51.100.$n dev eth$n onlink metric \${n}00
  ip -6 route add default via fe80::1 dev eth$n metric \${n}00
  n=$((n + 1))
done
echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter
there="nsenter --net --target $second"
$there ip addr add 169.254.169.254/32 dev lo
$there ip -6 addr add fd00:ec2::254/128 dev lo nodad
$there "$NODE" "$SERVER" "$ADDRESS" "$ANSWERS" >"$UP" & service=$!
until grep -q listening "$UP"; do sleep 0.02; done
"$NODE" "$SCRIPT" "$ADDRESS"`;

function why(): string | false {
  if (process.env["CI"] === "true") return false;
  if (process.getuid?.() !== 0) return "SKIPPED: a network namespace needs root";
  return spawnSync("unshare", ["--net", "ip", "link"]).status === 0
    ? false
    : "SKIPPED: needs network namespaces, and ip (Debian: iproute2)";
}

const skip = why();

async function ask(t: Test, address: string): Promise<RoutesAnswer> {
  const directory = t.testdir({
    "answers.json": JSON.stringify({ "/latest/meta-data/instance-id": "i-1" }),
    up: "",
  });
  const child = spawn("unshare", ["--net", "sh", "-ec", networks], {
    env: {
      ...process.env,
      ...{ NODE: process.execPath, SERVER: server, SCRIPT: script, ADDRESS: address },
      ANSWERS: path.join(directory, "answers.json"),
      UP: path.join(directory, "up"),
    },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const said = await text(child.stdout);
  if (child.exitCode === null) await once(child, "exit");
  return JSON.parse(said) as RoutesAnswer;
}

const cases = [
  { address: "169.254.169.254", source: "192.0.2.2" },
  { address: "fd00:ec2::254", source: "2001:db8:2::2" },
] as const;

for (const { address, source } of cases) {
  t.test(`${address} behind the second of two default routes`, { skip }, async (t) => {
    const { without, within, rulesAfter, routesAfter } = await ask(t, address);
    t.match(without, { from: null, problem: /^no metadata within 3000 ms/ });
    t.ok(without.asked.includes(`${source} (eth2), which leaves by eth1`), without.asked.join());
    t.equal(within.problem, null);
    t.equal(within.from, `${source} (eth2)`, "the kernel sends it by its own interface");
    t.same(within.lacks, []);
    t.equal(rulesAfter, "", "no rule is left");
    t.equal(routesAfter, "", "and no route");
  });
}
