import { existsSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import type { Base } from "#provisioner/render/base.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { bootContainer, inside, skipWithoutContainer } from "./sides/container.ts";
import type { Standing } from "./sides/leave-inside.ts";

t.setTimeout(300_000);
const programs = ["/usr/sbin/NetworkManager", "/usr/bin/nmcli", "/usr/bin/envsubst"];
const missing = programs.find((file) => !existsSync(file));
const skip =
  skipWithoutNix() ||
  skipWithoutContainer() ||
  (missing === undefined ? false : `${missing} is not on this machine`);

const base: Partial<Base> = {
  platform: {
    fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] }],
    ...{ swaps: [], left: [], bootLoader: "systemd-boot", esp: "/boot" },
  },
};

/** A card, a bridge, what is of no interface, and a WLAN with a secret that no card here joins. */
function network(address: string): Network {
  return {
    renderer: "NetworkManager",
    ethernets: {
      eth0: {
        addresses: [address],
        routes: [{ to: "198.51.100.0/24", type: "blackhole", table: 100 }],
        routingPolicy: [{ from: "203.0.113.0/24", table: 100, priority: 1000 }],
      },
    },
    bridges: { br0: { interfaces: [], addresses: ["203.0.113.1/24"] } },
    wifis: { wlan0: { dhcp4: true, accessPoints: { home: { password: { secretRef: "home" } } } } },
  };
}

const names = ["firstlight-network-manager.service", "NetworkManager-ensure-profiles.service"];
/** The programs of this host, which those of the stand-in are not. */
const place = "[Service]\nEnvironment=PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";
const settings = `[main]
plugins=keyfile
auth-polkit=false
rc-manager=unmanaged
[keyfile]
unmanaged-devices=interface-name:outside
`;
const story = `[Unit]
After=dbus.socket
Requires=dbus.socket
[Service]
Type=oneshot
ExecStart=${inside.node} ${inside.checkout}/integration/sides/leave-inside.ts
StandardOutput=journal+console
StandardError=journal+console
`;

/** The units of a system that is built, by their names. */
async function unitsOf(
  machine: NixMachine,
  directory: string,
  address: string,
): Promise<Readonly<Record<string, string>>> {
  const { sources, findings } = tryRender({ network: network(address) }, { base });
  t.same(
    findings.filter(({ level }) => level === "error"),
    [],
  );
  const system = await machine.build(`import ${writeRendered(directory, sources)}`);
  const units = names.map(async (name) => {
    const { stdout } = await machine.run(["cat", `${system}/etc/systemd/system/${name}`]);
    return [name, stdout] as const;
  });
  return Object.fromEntries(await Promise.all(units));
}

t.test("what is left of a generation whose network was NetworkManager's", { skip }, async (t) => {
  const machine = await nixMachine(t, { mode: "namespace" });
  const directory = t.testdir({ first: {}, second: {} });
  const files = (name: string, units: Readonly<Record<string, string>>) =>
    Object.entries(units).map(([unit, text]) => [`opt/systems/${name}/${unit}`, text]);
  const first = await unitsOf(machine, path.join(directory, "first"), "192.0.2.10/24");
  const second = await unitsOf(machine, path.join(directory, "second"), "192.0.2.11/24");
  t.equal(first[names[0] ?? ""], second[names[0] ?? ""], "another network is the same unit");
  const result = await bootContainer(
    {
      ...Object.fromEntries([...files("first", first), ...files("second", second)]),
      ...Object.fromEntries(
        names.map((name) => [`etc/systemd/system/${name}.d/place.conf`, place]),
      ),
      "etc/NetworkManager/NetworkManager.conf": settings,
      "etc/systemd/system/story.service": story,
      "etc/systemd/system/basic.target.d/story.conf": "[Unit]\nWants=story.service\n",
    },
    [`--bind-ro=${machine.root}/nix:/nix`],
  );
  const seen = (step: string) => {
    const standing = (result as readonly Standing[]).find((each) => each.step === step);
    if (standing === undefined) throw new Error(`no ${step} in ${JSON.stringify(result)}`);
    return standing;
  };
  const ours = ["firstlight-br0", "firstlight-eth0", "firstlight-wlan0+home"];
  const there = { files: { length: ours.length + 1 }, rules: [/^1000:/], routes: [/^blackhole/] };
  const isOurs = (name: string) => name.startsWith("firstlight-");
  const [before, after] = [seen("first"), seen("second")];
  t.match(before, { ...there, addresses: { eth0: ["192.0.2.10"], br0: ["203.0.113.1"] } });
  t.match(after, { ...there, addresses: { eth0: ["192.0.2.11"], br0: ["203.0.113.1"] } });
  t.same(after.known?.filter(isOurs), ours);
  const way = ({ active }: Standing, name: string) => active[`firstlight-${name}`];
  t.ok(way(before, "br0"));
  t.equal(way(after, "br0"), way(before, "br0"), "what is the same is not set up again");
  t.not(way(after, "eth0"), way(before, "eth0"));
  t.same({ ...seen("restarted"), step: "second" }, after, "a restart takes nothing away");

  for (const step of ["left", "left after it", "left with it", "after the cut"]) {
    const { files, known = [], addresses, rules, routes } = seen(step);
    t.same({ files, rules, routes }, { files: [], rules: [], routes: [] }, step);
    t.same(known.filter(isOurs), [], step);
    t.same([addresses["eth0"], addresses["br0"]], [[], undefined], step);
  }
  for (const step of ["left after it", "left with it"]) {
    t.match(seen(`before it is ${step}`), there);
    t.equal(seen(step).known, undefined, "NetworkManager has gone");
  }
  for (const step of ["left", "left after it, and it came back", "left with it, and it came back"])
    t.match(
      seen(step),
      { active: { "Wired connection 1": String }, addresses: { eth0: [] } },
      step,
    );
  t.match(seen("before the cut"), there);
});
