import type { OptionChange } from "./plan-options.ts";
import type { Plan, SourcesPreview } from "./system.ts";

const store = "/nix/store";
const at = (line: number) => ({ document: "user-data", line, column: 5 });

/** A change of everything that a plan can tell of, for tests of what is made from plans. */
export const samplePlan: Plan = {
  digest: "d0".repeat(32),
  closure: {
    transaction: "20260101T000000-00000001",
    toplevel: `${store}/${"b".repeat(32)}-nixos-system-edge-26.05`,
    derivation: `${store}/${"c".repeat(32)}-nixos-system-edge-26.05.drv`,
    sourcesDigest: "5b".repeat(32),
    credentials: ["mqtt@0123456789abcdef"],
    reason: { by: "apply", why: "what NoCloud says has changed", instanceId: "i-1" },
  },
  from: {
    toplevel: `${store}/${"a".repeat(32)}-nixos-system-edge-25.11`,
    generation: 41,
    sourcesDigest: "5a".repeat(32),
  },
  files: [
    { path: "firstlight/instance.nix", change: "changed" },
    { path: "firstlight/network.nix", change: "removed" },
    { path: "firstlight/templates/docker-host/default.nix", change: "added" },
  ],
  options: sampleOptions(),
  unfree: [
    { name: "nvidia-x11", by: "the spec", setBy: at(7) },
    { name: "cuda*", by: "template nvidia-compute", setBy: null },
  ],
  difference: {
    packages: [
      {
        name: "htop",
        change: "added",
        before: [],
        after: ["3.4.1"],
        bytesBefore: 0,
        bytesAfter: 431_000,
      },
      {
        name: "openssh",
        change: "upgraded",
        before: ["9.9p1"],
        after: ["10.2p1"],
        bytesBefore: 6_000_000,
        bytesAfter: 6_500_000,
      },
      {
        name: "python3",
        change: "changed",
        before: ["3.12.4", "3.13.1"],
        after: ["3.13.1"],
        bytesBefore: 220_000_000,
        bytesAfter: 110_000_000,
      },
      {
        name: "nano",
        change: "removed",
        before: ["8.0"],
        after: [],
        bytesBefore: 2_500_000,
        bytesAfter: 0,
      },
      {
        name: "zlib",
        change: "downgraded",
        before: ["1.3.1"],
        after: ["1.3"],
        bytesBefore: 130_000,
        bytesAfter: 129_000,
      },
    ],
    paths: { added: 91, removed: 102 },
    bytes: {
      before: 1_900_000_000,
      after: 1_800_000_000,
      added: 120_000_000,
      removed: 220_000_000,
    },
  },
  units: {
    start: ["docker.service"],
    stop: [],
    restart: ["sshd.service", "systemd-resolved.service"],
    reload: ["firewall.service"],
  },
  reboot: { needed: true, why: ["kernel is not the one this machine was booted with"] },
  space: [
    { place: "store", path: "/nix/store", totalBytes: 32e9, freeBytes: 12e9, neededBytes: null },
    { place: "boot", path: "/boot", totalBytes: 512e6, freeBytes: 40e6, neededBytes: 61e6 },
  ],
  warnings: [
    { kind: "units", message: "would NOT restart the following changed units: display.service" },
  ],
  commands: [["nix-env", "-p", "/nix/var/nix/profiles/system", "--set", "…"]],
};

/** One option of each sort of change, of value, and of origin. */
function sampleOptions(): readonly OptionChange[] {
  return [
    {
      option: "boot.kernelParams",
      change: "added",
      before: null,
      after: '[ "quiet" ]',
      setBy: null,
    },
    {
      option: 'environment.etc."motd".text',
      change: "changed",
      before: "''\n  Welcome.\n  This is edge-1.\n  Be kind.\n''",
      after: "''\n  Welcome.\n  This is edge-2.\n  Be kind.\n''",
      setBy: at(12),
    },
    {
      option: "services.openssh.settings.PasswordAuthentication",
      change: "changed",
      before: "true",
      after: "false",
      setBy: at(3),
    },
    {
      option: "users.users.bob.isNormalUser",
      change: "removed",
      before: "true",
      after: null,
      setBy: { document: "vendor-data", line: null, column: null },
    },
  ];
}

/** The same change before it is built. */
export const samplePreview: SourcesPreview = {
  from: samplePlan.from,
  sourcesDigest: "5b".repeat(32),
  files: samplePlan.files,
  options: samplePlan.options,
  unfree: [],
  fetch: {
    manifestDigest: "f0".repeat(32),
    toplevel: `${store}/${"b".repeat(32)}-nixos-system-edge-26.05`,
    paths: 91,
    bytes: 120_000_000,
    downloadBytes: 34_000_000,
    largestBytes: 41_000_000,
  },
  notBuilt: null,
  space: [
    { place: "store", path: "/nix/store", totalBytes: 32e9, freeBytes: 12e9, neededBytes: 12e7 },
  ],
};

/** A first boot without a store to ask: nothing runs, nothing is known. */
export const sampleFirstPlan: Plan = {
  ...samplePlan,
  from: { toplevel: null, generation: null, sourcesDigest: null },
  files: [],
  options: null,
  unfree: null,
  difference: null,
  units: { start: [], stop: [], restart: [], reload: [] },
  reboot: { needed: false, why: [] },
  space: [],
  warnings: [],
};
