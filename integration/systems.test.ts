import t from "tap";
import { loadParameterCheck } from "#cli/template-checks.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Platform } from "#provisioner/render/base.ts";
import { renderCases } from "#provisioner/render/cases.ts";
import { allTemplates } from "#provisioner/render/templates.ts";
import { shippedTemplates, type TryOptions, tryRender } from "#provisioner/render/try-render.ts";
import { everyParameter } from "./every-parameter.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { nixpkgsRelease, nixpkgsTree, systemOf } from "./nixpkgs-trees.ts";
import { writeRendered } from "./render-check.ts";

t.setTimeout(nixpkgsTree === undefined ? 300_000 : 3_600_000);
const skip = skipWithoutNix();
if (nixpkgsTree === undefined)
  t.comment("SKIPPED: whole systems, of NixOS itself (name a tree of nixpkgs in NIXPKGS)");

/** Why a rendering is no system here. */
const left: Readonly<Record<string, string>> = {
  home: "home.test.ts has it, with home-manager",
  pins: "names places in a store that are not there",
  "git-entry": "names a place in a store that is not there",
  "git-flake-entry": "names a place in a store that is not there",
};

/** Why, where the named tree is older than this release. */
const networkd = ["25.05", "has settings of networkd that older releases do not know"] as const;
const leftBefore: Readonly<Record<string, readonly [release: string, reason: string]>> = {
  network: networkd,
  "network-keys": networkd,
  "network-links": networkd,
};

function reasonToLeave(name: string): string | undefined {
  const [release = "", reason] = leftBefore[name] ?? [];
  const isOlder = nixpkgsTree !== undefined && nixpkgsRelease(nixpkgsTree) < release;
  return left[name] ?? (isOlder ? reason : undefined);
}

const platform: Platform = {
  fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] }],
  swaps: [],
  left: [],
  bootLoader: "systemd-boot",
  esp: "/boot",
};

/** What an image has that boots. */
const ofImage = `{
  fileSystems."/".device = "/dev/disk/by-uuid/0001";
  boot.loader.grub.device = "/dev/sda";
  users.users.root.hashedPassword = "$6$salt$hash";
}
`;

/** The store path of the derivation of a rendered system; throws with what Nix has against it. */
async function system(
  machine: NixMachine,
  directory: string,
  spec: Omit<Spec, "version">,
  options: TryOptions = {},
): Promise<string> {
  const base: NonNullable<TryOptions["base"]> =
    options.base?.kind === "adopted"
      ? { ...options.base, files: [{ path: "configuration.nix", content: ofImage, mode: 0o644 }] }
      : { platform, ...options.base };
  const { sources, findings } = tryRender(spec, { ...options, base });
  const errors = findings.filter(({ level }) => level === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const entry = writeRendered(directory, sources);
  const argv = [
    ...(["nix-instantiate", "--eval", "--json", "--read-write-mode", "--expr"] as const),
    `(${systemOf(entry)}).config.system.build.toplevel.drvPath`,
  ] as const;
  const { code, stdout, stderr } = await machine.run(argv, { timeoutMs: 600_000 });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test("a rendered system is one for NixOS", { skip }, async (t) => {
  const machine = await nixMachine(t);
  for (const { name, spec, options } of renderCases)
    if (reasonToLeave(name) === undefined)
      await t.test(name, async (t) => {
        t.match(await system(machine, t.testdir(), spec, options), /nixos-system-.*\.drv$/);
      });
});

t.test("a value of another type is refused", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const spec = { options: { "networking.firewall.allowedTCPPorts": ["http"] } };
  await t.rejects(system(machine, t.testdir(), spec, { anyOption: true }), {
    message: /networking\.firewall\.allowedTCPPorts.* is not of type/,
  });
});

// Called one by one in template-modules.test.ts: the stand-in has not all of their packages.
if (nixpkgsTree !== undefined)
  t.test("so is one with a template", { skip }, async (t) => {
    const machine = await nixMachine(t);
    const checkParameters = await loadParameterCheck([...shippedTemplates.keys()]);
    for (const template of allTemplates(shippedTemplates))
      for (const [what, parameters] of [
        ["as it is shown", template.example],
        ["with each of its parameters", everyParameter(template)],
      ] as const)
        await t.test(`${template.name} ${what}`, async (t) => {
          const spec = { users: { alice: {} }, templates: [{ name: template.name, parameters }] };
          const options = { checkParameters };
          t.match(await system(machine, t.testdir(), spec, options), /nixos-system-.*\.drv$/);
        });
    await t.test("several uses, where they may be", async (t) => {
      const addresses = ["10.100.0.1/24"];
      const sites = (name: string) => ({ [name]: { target: "http://127.0.0.1:1", tls: "none" } });
      const containers = (name: string) => ({ [name]: { image: "nginx" } });
      const templates = [
        { name: "wireguard-mesh", parameters: { addresses } },
        { name: "wireguard-mesh", parameters: { addresses, interface: "wg1", port: 51821 } },
        { name: "nginx-proxy", parameters: { sites: sites("a.example.org") } },
        { name: "nginx-proxy", parameters: { sites: sites("b.example.org") } },
        { name: "podman", parameters: { openPorts: [80], containers: containers("a") } },
        { name: "podman", parameters: { openPorts: [80], containers: containers("b") } },
      ];
      const options = { checkParameters };
      t.match(await system(machine, t.testdir(), { templates }, options), /nixos-system-.*\.drv$/);
    });
  });
