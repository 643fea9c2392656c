import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { asksForNetworkd, enablesManager } from "./network-renderer.ts";
import { laptop } from "./sample-laptop.ts";
import { fileOf, type TryOptions, tryRender } from "./try-render.ts";

const network = { ethernets: { eth0: { dhcp4: true } } };

function adopted(content: string): TryOptions {
  const files = [{ path: "configuration.nix", content, mode: 0o644 }];
  return { base: { kind: "adopted", files } };
}

const desktop = [{ name: "workstation-gnome" }];
const on = { "networking.networkmanager.enable": true };
const byNetworkd = '{ systemd.network.networks."10-lan".DHCP = "yes"; }\n';
const image = "{ networking.networkmanager.enable = true; }\n";

type Case = readonly [string, Omit<Spec, "version">, TryOptions, "networkd" | "NetworkManager"];

const cases: readonly Case[] = [
  ["nothing is said", {}, {}, "networkd"],
  ["the profile asks for it", {}, laptop, "NetworkManager"],
  ["a template runs it", { templates: desktop }, {}, "NetworkManager"],
  ["an option runs it", { options: on }, {}, "NetworkManager"],
  [
    "an option runs it, split otherwise",
    { options: { "networking.networkmanager": { enable: true } } },
    {},
    "networkd",
  ],
  [
    "an option keeps it from running",
    { options: { "networking.networkmanager.enable": false } },
    laptop,
    "networkd",
  ],
  ["the image runs it", {}, adopted(image), "NetworkManager"],
  ["the image does not", {}, adopted("{ }\n"), "networkd"],
  [
    "the image asks for networkd on a laptop",
    {},
    { ...laptop, ...adopted(byNetworkd) },
    "networkd",
  ],
  [
    "the owner's own file keeps NetworkManager off on a laptop",
    {},
    { ...laptop, base: { local: "{ networking.networkmanager.enable = false; }\n" } },
    "networkd",
  ],
  [
    "an option asks for networkd on a laptop",
    { options: { "networking.useNetworkd": true } },
    laptop,
    "networkd",
  ],
  [
    "the owner's own file takes it from the image",
    {},
    { base: { ...adopted(image).base, local: "{ networking.useNetworkd = true; }\n" } },
    "networkd",
  ],
  ["the owner's own file runs it", {}, { base: { local: image } }, "NetworkManager"],
];

t.test("what sets the network up, and what is said to it alone", async (t) => {
  for (const [name, spec, options, expected] of cases) {
    if (name.includes("otherwise")) continue;
    const result = tryRender({ ...spec, network }, options);
    const text = fileOf(result, "firstlight/network.nix");
    t.equal(/ensureProfiles/.test(text), expected === "NetworkManager", name);
    t.equal(/systemd\.network\.networks/.test(text), expected === "networkd", name);
    t.same(result.findings, [], name);
  }
});

t.test("the spec's word counts more than all of them", async (t) => {
  for (const renderer of ["networkd", "NetworkManager"] as const) {
    for (const [name, spec, options] of cases) {
      const said = { ...spec, network: { ...network, renderer } };
      const { findings, ...result } = tryRender(said, options);
      if (findings.some(({ level }) => level === "error")) continue;
      const text = fileOf({ findings, ...result }, "firstlight/network.nix");
      t.equal(/ensureProfiles/.test(text), renderer === "NetworkManager", `${renderer}: ${name}`);
      t.equal(
        /systemd\.network\.networks/.test(text),
        renderer === "networkd",
        `${renderer}: ${name}`,
      );
    }
  }
});

t.test("NetworkManager that runs beside networkd leaves its interfaces alone", async (t) => {
  for (const [spec, options, by] of [
    [{ templates: desktop }, {}, "the template workstation-gnome"],
    [{ options: on }, {}, "an option of the spec"],
    [{}, adopted(image), "the configuration of the image"],
  ] as const) {
    const said = { ...structuredClone(spec), network: { ...network, renderer: "networkd" } };
    const result = tryRender(said as Omit<Spec, "version">, options);
    t.match(result.findings, [
      { code: "render/network-renderer", level: "note", path: "network.renderer" },
    ]);
    t.match(result.findings[0]?.message, by);
    t.match(fileOf(result, "firstlight/network.nix"), 'unmanaged = [ "interface-name:eth0" ]');
  }
});

t.test("what would set the same interfaces up a second time is an error", async (t) => {
  for (const options of [
    { "networking.networkmanager.enable": false },
    { "networking.useNetworkd": true },
    { "networking.wireless.enable": true },
    { "networking.wireless": { enable: true } },
  ]) {
    const said = { options, network: { ...network, renderer: "NetworkManager" } };
    const { findings } = tryRender(said as Omit<Spec, "version">);
    t.match(
      findings,
      [{ code: "render/network-renderer", level: "error" }],
      JSON.stringify(options),
    );
  }
});

t.test("an image of its own runs networkd no more where NetworkManager is to do it", async (t) => {
  const said = { network: { ...network, renderer: "NetworkManager" as const } };
  const text = fileOf(tryRender(said, adopted("{ }\n")), "firstlight/network.nix");
  t.match(text, "useNetworkd = lib.mkOverride 90 false;");
  t.match(text, "enable = lib.mkOverride 90 true;");
});

t.test(
  "NetworkManager is found in a module however it is written, and not in a comment",
  async (t) => {
    for (const text of [
      "networking.networkmanager.enable = true;",
      "networkmanager.enable = lib.mkForce true;",
      'networking = {\n  networkmanager = {\n    dns = "none";\n    enable = true;\n  };\n};',
    ])
      t.ok(enablesManager(text), text);
    for (const text of [
      "# networking.networkmanager.enable = true;",
      "/* networking.networkmanager.enable = true; */",
      "networking.networkmanager.enable = false;",
      "networkmanager = { enable = false; }; x.enable = true;",
    ])
      t.notOk(enablesManager(text), text);
  },
);

t.test("networkd is found in a module however it is asked for", async (t) => {
  for (const text of [
    "networking.useNetworkd = true;",
    'networking = { hostName = "a"; useNetworkd = lib.mkForce true; };',
    "systemd.network.enable = true;",
    "systemd.network = {\n  enable = true;\n};",
    "systemd = { network.enable = true; };",
    byNetworkd,
    "systemd.network = { networks.lan = { }; };",
    "networking.networkmanager.enable = lib.mkForce false;",
    "networkmanager = { enable = false; };",
  ])
    t.ok(asksForNetworkd(text), text);
  for (const text of [
    "# networking.useNetworkd = true;",
    "networking.useNetworkd = false;",
    "systemd.network.links.a = { };",
    "services.network.enable = true;",
    "networking.networkmanager.enable = true;",
  ])
    t.notOk(asksForNetworkd(text), text);
});

t.test(
  "the spec's NetworkManager wins over a base that asks for networkd, and says so",
  async (t) => {
    const said = { network: { ...network, renderer: "NetworkManager" as const } };
    for (const options of [adopted(byNetworkd), { base: { local: byNetworkd } }]) {
      const { findings, ...result } = tryRender(said, options);
      t.match(findings, [{ code: "render/network-renderer", level: "warning", hint: /networkd/ }]);
      const text = fileOf({ findings, ...result }, "firstlight/network.nix");
      t.match(text, "systemd.network.enable = lib.mkOverride 90 false;");
      t.match(text, "useNetworkd = lib.mkOverride 90 false;");
      t.match(text, "enable = lib.mkOverride 90 true;");
    }
  },
);
