import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { managerProfilesAfter, managerProfilesBefore } from "#provisioner/render/manager-shell.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { writtenProfiles } from "./conformance/manager-keyfiles.ts";

t.setTimeout(120_000);
const programs = ["/usr/sbin/NetworkManager", "/usr/bin/dbus-daemon", "/usr/bin/nmcli"];
const missing = programs.find((file) => !existsSync(file));
const skip =
  process.getuid?.() !== 0
    ? "namespaces of network and mounts need root"
    : missing === undefined
      ? false
      : `${missing} is not on this machine`;

/**
 * In namespaces of its own: a card that something else has set up, NetworkManager, and then one
 * generation after the other, each as NixOS's unit brings it.
 */
const inside = `
exec 3>&1 >&2
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/NetworkManager
mount -t tmpfs tmpfs /etc/NetworkManager
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/dbus /run/firstlight /run/NetworkManager/system-connections
printf '[main]\\nplugins=keyfile\\nauth-polkit=false\\nrc-manager=unmanaged\\nno-auto-default=*\\n' > /etc/NetworkManager/NetworkManager.conf
ip link set lo up
ip link add eth0 type veth peer name outside
ip addr add 192.0.2.99/24 dev eth0
ip link set eth0 up
ip link set outside up
dbus-daemon --system --fork --nopidfile
NetworkManager -n &
nm-online -s -t 60
for generation in "$1"/generation-*; do
  bash -e "$1/before"
  install -m 0600 "$generation"/* /run/NetworkManager/system-connections/
  nmcli connection reload
  PATH="$1/bin:$PATH" bash -e "$1/after"
  sleep 1
  printf '{"addresses": %s, "routes": %s, "rules": %s, "profiles": "%s"}\\n' \\
    "$(ip -json addr)" "$(ip -json route show table all)" "$(ip -json rule)" \\
    "$(nmcli -g NAME connection show | sort | tr '\\n' ' ')" >&3
done
# all of this namespace ends with its first process
`;

interface State {
  readonly addresses: readonly {
    readonly ifname: string;
    readonly mtu: number;
    readonly master?: string;
    readonly linkinfo?: { readonly info_kind: string };
    readonly addr_info: readonly { readonly local: string; readonly scope: string }[];
  }[];
  readonly routes: readonly Readonly<Record<string, unknown>>[];
  readonly rules: readonly Readonly<Record<string, unknown>>[];
  readonly profiles: string;
}

/** What the kernel has after each generation. */
async function run(directory: string): Promise<readonly State[]> {
  const child = spawn(
    "unshare",
    ["-nmpf", "--kill-child", "--mount-proc", "sh", "-c", inside, "sh", directory],
    {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 100_000,
      killSignal: "SIGKILL",
    },
  );
  let text = "";
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  const lines = text.trim().split("\n").filter(Boolean);
  if (lines.length === 0) throw new Error(said);
  return lines.map((line) => JSON.parse(line) as State);
}

const bridged: Network = {
  renderer: "NetworkManager",
  ethernets: { eth0: { addresses: ["192.0.2.10/24"], mtu: 1400 } },
  veths: { veth0: { peer: "veth1" }, veth1: { peer: "veth0", addresses: ["203.0.113.2/24"] } },
  bridges: {
    br0: {
      interfaces: ["veth0"],
      addresses: ["203.0.113.1/24", "2001:db8:7::1/64"],
      routes: [{ to: "198.51.100.0/24", via: "203.0.113.9", table: 100, metric: 5 }],
      routingPolicy: [{ from: "203.0.113.0/24", table: 100, priority: 1000 }],
      parameters: { stp: false },
    },
  },
  tunnels: { vx0: { mode: "vxlan", id: 7, remote: "192.0.2.20", local: "192.0.2.10", port: 4789 } },
};
const moved: Network = {
  renderer: "NetworkManager",
  ethernets: { eth0: { addresses: ["192.0.2.11/24"], mtu: 1400 } },
};

t.test(
  "NetworkManager itself sets up what the spec says, and what it says next",
  { skip },
  async (t) => {
    const directory = t.testdir({ bin: { systemctl: "#!/bin/sh\nexit 0\n" } });
    chmodSync(path.join(directory, "bin/systemctl"), 0o755);
    writeFileSync(path.join(directory, "before"), managerProfilesBefore);
    writeFileSync(path.join(directory, "after"), managerProfilesAfter);
    for (const [index, network] of [bridged, moved].entries()) {
      const below = path.join(directory, `generation-${index + 1}`);
      mkdirSync(below);
      const { findings, ...result } = tryRender({ network });
      t.same(findings, []);
      const module = fileOf({ findings, ...result }, "firstlight/network.nix");
      for (const { name, text } of writtenProfiles(module))
        writeFileSync(path.join(below, `${name}.nmconnection`), text);
    }
    const [first, second] = await run(directory);
    const link = (state: State | undefined, name: string) =>
      state?.addresses.find(({ ifname }) => ifname === name);
    const addresses = (state: State | undefined, name: string) =>
      link(state, name)
        ?.addr_info.filter(({ scope }) => scope === "global")
        .map(({ local }) => local);

    t.same(
      addresses(first, "eth0"),
      ["192.0.2.10"],
      "what another program had set up is taken over",
    );
    t.equal(link(first, "eth0")?.mtu, 1400);
    t.same(addresses(first, "br0"), ["203.0.113.1", "2001:db8:7::1"]);
    t.same(addresses(first, "veth1"), ["203.0.113.2"]);
    t.equal(link(first, "veth0")?.master, "br0");
    t.ok(link(first, "vx0"));
    const route = {
      dst: "198.51.100.0/24",
      gateway: "203.0.113.9",
      dev: "br0",
      table: "100",
      metric: 5,
    };
    t.match(
      first?.routes.find(({ dst }) => dst === route.dst),
      route,
    );
    t.match(
      first?.rules.find(({ priority }) => priority === 1000),
      { src: "203.0.113.0", srclen: 24, table: "100" },
    );
    t.match(
      first?.profiles,
      /firstlight-br0 firstlight-eth0 firstlight-veth0 firstlight-veth1 firstlight-vx0/,
    );

    t.same(addresses(second, "eth0"), ["192.0.2.11"], "another address without a boot");
    t.notOk(link(second, "br0"), "and what the spec has no more is gone");
    t.notMatch(second?.profiles, "br0");
  },
);
