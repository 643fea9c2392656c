import t from "tap";
import { fakeKernel } from "./fake-kernel.ts";
import { readNetwork } from "./network.ts";

t.test("interfaces are told apart by what they carry", async (t) => {
  const net = "/sys/class/net";
  const cases: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string>>,
    kind: string,
  ])[] = [
    ["eth0", { type: "1", uevent: "INTERFACE=eth0" }, "ethernet"],
    ["wlan0", { type: "1", uevent: "DEVTYPE=wlan" }, "wifi"],
    ["wlan1", { type: "1", phy80211: "" }, "wifi"],
    ["wwan0", { type: "65534", uevent: "DEVTYPE=wwan" }, "wwan"],
    ["br0", { type: "1", uevent: "DEVTYPE=bridge" }, "bridge"],
    ["bond0", { type: "1", uevent: "DEVTYPE=bond" }, "bond"],
    ["eth0.7", { type: "1", uevent: "DEVTYPE=vlan" }, "vlan"],
    ["wg0", { type: "65534", uevent: "DEVTYPE=wireguard" }, "tunnel"],
    ["tap0", { type: "1", tun_flags: "0x1002" }, "tunnel"],
    ["ib0", { type: "32" }, "infiniband"],
    ["can0", { type: "280" }, "can"],
    ["lo", { type: "772" }, "loopback"],
    ["x0", { type: "9999" }, "other"],
  ];
  const files = Object.fromEntries(
    cases.flatMap(([name, entries]) =>
      Object.entries(entries).map(([file, text]) => [`${net}/${name}/${file}`, `${text}\n`]),
    ),
  );
  const found = readNetwork(
    fakeKernel(t.testdir({}), { ...files, [`${net}/bonding_masters`]: "bond0\n" }),
  );
  t.same(
    Object.fromEntries((found ?? []).map(({ name, kind }) => [name, kind])),
    Object.fromEntries(cases.map(([name, , kind]) => [name, kind])),
  );
});

t.test("an address is kept in lower case, and none is none", async (t) => {
  const of = (name: string, address: string) => ({
    [`/sys/class/net/${name}/type`]: "1\n",
    [`/sys/class/net/${name}/address`]: `${address}\n`,
  });
  const found = readNetwork(
    fakeKernel(t.testdir({}), {
      ...of("a", "00:00:5E:00:53:01"),
      ...of("b", "00:00:00:00:00:00"),
      ...of("c", "junk"),
    }),
  );
  t.same(
    found?.map(({ mac }) => mac),
    ["00:00:5e:00:53:01", null, null],
  );
});
