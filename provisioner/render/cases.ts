import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { everyManagedNetwork } from "./every-managed-network.ts";
import { everything } from "./everything.ts";
import { plainBase, type TryOptions } from "./try-render.ts";
import { unitNameOf } from "./unit-name.ts";

/** A rendering whose file stands in `golden/<name>.nix`. */
export interface RenderCase {
  readonly name: string;
  /** File of the sources that is compared. */
  readonly file: string;
  readonly spec: Omit<Spec, "version">;
  readonly options?: TryOptions;
}

const all = structuredClone(everything) as unknown as Spec;
const instance = "firstlight/instance.nix";
const managed = structuredClone(everyManagedNetwork) as unknown as NonNullable<Spec["network"]>;
const store = (name: string) => ({
  storePath: `/nix/store/00000000000000000000000000000000-${name}`,
  narHash: null,
  revision: null,
});
const adopted: TryOptions["base"] = {
  kind: "adopted",
  files: [{ path: "configuration.nix", content: "{ }\n", mode: 0o644 }],
};

const fromGit = {
  url: "https://git.example.org/machines.git",
  rev: "3f2a9c0d4b5e6f708192a3b4c5d6e7f8091a2b3c",
  narHash: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  storePath: "/nix/store/00000000000000000000000000000000-source",
  entry: { file: "hosts/edge-17/configuration.nix" },
};

function only(...keys: readonly (keyof Spec)[]): Omit<Spec, "version"> {
  return Object.fromEntries(keys.map((key) => [key, all[key]]));
}

const [unitFiles = [], plainFiles = []] = [true, false].map((areUnits) =>
  (all.files ?? []).filter((file) => (unitNameOf(file) !== undefined) === areUnits),
);

/** Every kind of interface but devices with a cable. */
function linked(): NonNullable<Spec["network"]> {
  const { ethernets: _, ...rest } = all.network ?? {};
  return rest;
}

/** One case for each concern, and what the base changes. */
export const renderCases: readonly RenderCase[] = [
  {
    name: "names",
    file: instance,
    spec: only("hostname", "domain", "hosts", "resolver", "certificates"),
  },
  { name: "locale", file: instance, spec: only("timezone", "locale", "keyboard") },
  { name: "ntp", file: instance, spec: only("ntp") },
  { name: "ntp-off", file: instance, spec: { ntp: { enable: false, client: "chrony" } } },
  { name: "users", file: instance, spec: only("users", "groups") },
  {
    name: "root",
    file: instance,
    spec: { users: { root: { description: "Administrator", shell: "fish" } } },
  },
  {
    name: "homes",
    file: instance,
    spec: {
      users: { alice: {}, "bob-b": { home: "/srv/bob" }, collector: { system: true } },
      mounts: [
        { device: "/dev/vdb1", path: "/home" },
        { device: "192.0.2.9:/export", path: "/srv", type: "nfs" },
      ],
    },
  },
  { name: "sshd", file: instance, spec: only("sshd") },
  { name: "packages", file: instance, spec: only("packages") },
  {
    name: "unfree",
    file: instance,
    spec: {
      ...only("unfree"),
      packages: ["vscode", "cudaPackages.cudatoolkit"],
      templates: [{ name: "nvidia-compute", parameters: { acceptLicense: true, cuda: true } }],
    },
    options: { checkParameters: () => [] },
  },
  {
    name: "files",
    file: instance,
    spec: { files: plainFiles, users: { alice: {} }, groups: { operators: {} } },
  },
  { name: "commands", file: instance, spec: { ...only("commands"), files: unitFiles } },
  { name: "units", file: instance, spec: only("units") },
  {
    name: "network-secrets",
    file: instance,
    spec: { ...only("networkSecrets"), groups: { operators: {} } },
  },
  {
    name: "network-keys",
    file: instance,
    spec: { network: { wifis: linked().wifis ?? {}, tunnels: linked().tunnels ?? {} } },
  },
  { name: "firewall", file: instance, spec: only("firewall") },
  { name: "storage", file: instance, spec: only("mounts", "swap") },
  {
    name: "metadata-service",
    file: instance,
    spec: only("metadataService"),
    options: {
      metadataService: {
        cloud: "Exoscale",
        addresses: ["169.254.169.254", "fd00:ec2::254"],
        ports: [80, 8080],
        identity: "an identity",
      },
    },
  },
  { name: "report", file: instance, spec: only("report") },
  { name: "options", file: instance, spec: only("options") },
  { name: "module", file: "firstlight/modules/web.nix", spec: only("modules") },
  {
    name: "network",
    file: "firstlight/network.nix",
    spec: { network: { ethernets: { lan: all.network?.ethernets?.["lan"] ?? {} } } },
  },
  { name: "network-links", file: "firstlight/network.nix", spec: { network: linked() } },
  { name: "network-manager", file: "firstlight/network.nix", spec: { network: managed } },
  { name: "network-manager-keys", file: instance, spec: { network: managed } },
  {
    name: "entry",
    file: "configuration.nix",
    spec: only("templates", "hostname", "users", "modules"),
  },
  {
    name: "generation",
    file: "firstlight/generation.nix",
    spec: { ...only("commands", "hooks"), files: unitFiles },
  },
  {
    name: "home",
    file: instance,
    spec: { ...only("home", "users"), users: { alice: {} } },
    options: { base: { pins: { "home-manager": store("home-manager") } } },
  },
  {
    name: "pins",
    file: instance,
    spec: {},
    options: {
      base: {
        pins: { nixpkgs: store("nixpkgs"), firstlight: store("firstlight-0.1.0") },
        settings: { datasources: ["NoCloud"], policy: { changes: "hold" } },
      },
    },
  },
  {
    name: "adopted-entry",
    file: "configuration.nix",
    spec: only("hostname"),
    options: { base: { ...adopted, local: "{ }\n" } },
  },
  {
    name: "git-entry",
    file: "configuration.nix",
    spec: only("hostname"),
    options: { base: { ...adopted, files: [], git: fromGit } },
  },
  {
    name: "git-flake-entry",
    file: "configuration.nix",
    spec: only("hostname"),
    options: {
      base: {
        ...adopted,
        files: [],
        git: { ...fromGit, entry: { flake: ["nixosModules", "edge"] } },
      },
    },
  },
  {
    name: "adopted",
    file: instance,
    spec: {
      ...only("hostname", "sshd", "timezone", "mounts"),
      options: { "services.fwupd.enable": true },
    },
    options: { base: { ...adopted, mutableUsers: false } },
  },
  {
    name: "platform",
    file: "firstlight/hardware.nix",
    spec: {},
    options: {
      base: {
        ...plainBase,
        platform: {
          fileSystems: [
            { path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] },
            {
              path: "/boot/efi",
              device: "/dev/disk/by-uuid/0002",
              type: "vfat",
              options: ["fmask=0077"],
            },
          ],
          swaps: ["/dev/disk/by-uuid/0003"],
          left: [],
          bootLoader: "systemd-boot",
          esp: "/boot/efi",
        },
      },
    },
  },
];
