import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { laptop } from "#provisioner/render/sample-laptop.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";

t.setTimeout(120_000);
const skip = skipWithoutNix();
const network = { ethernets: { eth0: { dhcp4: true } } };

interface Chosen {
  readonly failed: readonly string[];
}

/** What of the network a system of NixOS has, and which of its assertions fail. */
async function chosen(
  machine: NixMachine,
  directory: string,
  [spec, base]: readonly [Omit<Spec, "version">, string],
): Promise<Chosen> {
  const files = [{ path: "configuration.nix", content: base, mode: 0o644 }];
  const { sources } = tryRender(spec, { ...laptop, base: { kind: "adopted", files } });
  const entry = writeRendered(directory, sources);
  const expression = `let c = (import <nixpkgs/nixos> { configuration = ${entry}; system = "x86_64-linux"; }).config; in {
    manager = c.networking.networkmanager.enable;
    networkd = c.systemd.network.enable;
    profiles = builtins.attrNames c.networking.networkmanager.ensureProfiles.profiles;
    networks = builtins.attrNames c.systemd.network.networks;
    failed = map (a: a.message) (builtins.filter (a: !a.assertion) c.assertions);
  }`;
  const options = ["--eval", "--strict", "--json", "--read-write-mode"];
  const { code, stdout, stderr } = await machine.run([
    "nix-instantiate",
    ...options,
    "--expr",
    expression,
  ]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Chosen;
}

const readable = "{ networking.useNetworkd = true; }\n";
/** What only Nix makes out. */
const hidden = (settings: unknown) =>
  `{ networking = builtins.fromJSON ''${JSON.stringify(settings)}''; }\n`;
const byManager = { manager: true, networkd: false, profiles: ["firstlight-eth0"], networks: [] };
const byNetworkd = { manager: false, networkd: true, profiles: [], networks: ["10-eth0"] };
const said: Omit<Spec, "version"> = { network: { ...network, renderer: "NetworkManager" } };
const files =
  '{ systemd.network = { enable = true; networks."10-lan".matchConfig.Name = "eth0"; }; }\n';

t.test(
  "one program has the network of a laptop, whatever its configuration says",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const cases: readonly (readonly [string, Omit<Spec, "version">, string, object, RegExp?])[] = [
      ["nothing is said", { network }, "{ }\n", byManager],
      ["it asks for networkd", { network }, readable, byNetworkd],
      [
        "it asks for networkd, and the spec for NetworkManager",
        said,
        files,
        { ...byManager, networks: ["10-lan"] },
      ],
      [
        "it asks for networkd in a way that cannot be read",
        { network },
        hidden({ useNetworkd: true }),
        { ...byManager, networkd: true },
        /say `network: \{ renderer: networkd \}`/,
      ],
      [
        "it keeps NetworkManager off in a way that cannot be read",
        { network },
        hidden({ networkmanager: { enable: false } }),
        { ...byManager, manager: false },
        /systemd-networkd do it, or NetworkManager off/,
      ],
      [
        "the spec says NetworkManager, and it networkd in a way that cannot be read",
        said,
        hidden({ useNetworkd: true, networkmanager: { enable: false } }),
        byManager,
      ],
    ];
    for (const [index, [name, spec, base, expected, refusal]] of cases.entries()) {
      const directory = t.testdir({ [`case-${index}`]: {} });
      const { failed, ...found } = await chosen(machine, `${directory}/case-${index}`, [
        spec,
        base,
      ]);
      t.same(found, expected, name);
      t.equal(failed.length, refusal === undefined ? 0 : 1, `${name}: ${failed}`);
      if (refusal !== undefined) t.match(failed[0], refusal, name);
    }
  },
);
