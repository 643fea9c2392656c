import t from "tap";
import type { Network, Spec } from "#generated/provisioner/spec/v1.ts";
import { fileOf, tryRender } from "./try-render.ts";

/** Lines of the instance that open something, without blanks at their beginning. */
function opened(spec: Partial<Spec>): readonly string[] {
  const { findings, sources } = tryRender(spec as Spec);
  t.same(findings, []);
  const text = fileOf({ findings, sources }, "firstlight/instance.nix").replaceAll(/\s+/g, " ");
  return [...text.matchAll(/[\w.]+ = \[[ 0-9]*\];/g)].map(([line]) => line);
}

const credentials = new Map([
  ["key", { name: "key", file: "key@1", version: "1", encrypted: false, bytes: 44 }],
]);

t.test("where a tunnel listens is open", async (t) => {
  const network: Network = {
    ethernets: { lan: { match: { mac: "52:54:00:12:34:56" }, setName: "lan0" } },
    tunnels: {
      wg0: { mode: "wireguard", privateKey: { secretRef: "key" }, listenPort: 51_820 },
      wg1: { mode: "wireguard", privateKey: { secretRef: "key" } },
      vx0: { mode: "vxlan", id: 1, port: 4789, link: "lan" },
      vx1: { mode: "vxlan", id: 2 },
    },
  };
  const result = tryRender({ network }, { credentials });
  t.same(result.findings, []);
  const text = fileOf(result, "firstlight/instance.nix");
  t.match(text, /allowedUDPPorts = \[\s+8472\s+51820\s+\];/);
  t.match(text, "interfaces.lan0.allowedUDPPorts = [ 4789 ];");
});

t.test("a VXLAN is open on its interface alone, where its name is known before", async (t) => {
  const on = (link: string, more: Network = {}) =>
    opened({ network: { ...more, tunnels: { vx0: { mode: "vxlan", id: 1, link } } } });
  const interfaces = "networking.firewall.interfaces";
  t.same(on("eth0"), [`${interfaces}.eth0.allowedUDPPorts = [ 8472 ];`]);
  t.same(on("br0", { bridges: { br0: {} } }), [`${interfaces}.br0.allowedUDPPorts = [ 8472 ];`]);
  t.same(on("a", { ethernets: { a: { match: { name: "eth7" } } } }), [
    `${interfaces}.eth7.allowedUDPPorts = [ 8472 ];`,
  ]);
  const everywhere = ["networking.firewall.allowedUDPPorts = [ 8472 ];"];
  for (const match of [{ name: "en*" }, { mac: "52:54:00:12:34:56" }, { driver: "igb" }])
    t.same(on("a", { ethernets: { a: { match } } }), everywhere, JSON.stringify(match));
});

t.test("a port is added to those that options open, however their name is written", async (t) => {
  const firewall = { udpPorts: [123], interfaces: { br0: { tcpPorts: [53] } } };
  for (const [name, options] of Object.entries({
    "one option": { "networking.firewall.allowedUDPPorts": [53, 123] },
    "a part of its name": { "networking.firewall": { allowedUDPPorts: [53] } },
    "beside other interfaces": {
      "networking.firewall.allowedUDPPorts": [53],
      "networking.firewall.interfaces": { br1: { allowedTCPPorts: [22] } },
    },
  })) {
    const found = opened({ firewall, options }).join(" ");
    t.match(found, "allowedUDPPorts = [ 53 123 ];", name);
    t.match(found, "allowedTCPPorts = [ 53 ];", name);
  }
  const wrong = tryRender({ firewall, options: { "networking.firewall": 7 } }, { anyOption: true });
  t.match(fileOf(wrong, "firstlight/instance.nix"), "firewall = 7;", "Nix names it");
});

t.test("every port of a long list is open, once", async (t) => {
  const all = Array.from({ length: 65_535 }, (_, index) => index + 1);
  const text = fileOf(
    tryRender({ firewall: { tcpPorts: [...all, ...all] } }),
    "firstlight/instance.nix",
  );
  const [, list = ""] = /allowedTCPPorts = \[([\s0-9]*)\];/.exec(text) ?? [];
  t.equal(list.trim().split(/\s+/).length, 65_535);
});

t.test("the manifest knows what opened a port", async (t) => {
  const place = { document: "user-data", path: "ntp.allow", line: 4, column: 3 };
  const origins = new Map([["firewall.udpPorts.0", place]]);
  const result = tryRender({ firewall: { udpPorts: [123] } }, { origins });
  const { options } = JSON.parse(fileOf(result, "firstlight/manifest.json"));
  t.match(options["networking.firewall.allowedUDPPorts"], { document: "user-data", line: 4 });
});
