import type { Io } from "#core/io.ts";

/** Every place on the machine that the system touches. */
export interface SystemPaths {
  /** Nix's own, not below `--root` where real Nix runs. */
  readonly store: string;
  readonly profiles: string;
  /** The system profile: a link to its current generation. */
  readonly profile: string;
  /** Where a Nix daemon listens, if there is one. */
  readonly daemonSocket: string;
  /** Profiles beside the system's, each with entries of its own in the boot menu. */
  readonly trialProfiles: string;
  /** The one of a trial by a restart. */
  readonly trialProfile: string;
  /** Our GC roots: `<transaction>` (the system) and `<transaction>-drv`. */
  readonly gcRoots: string;
  /** The systems of a first boot that is to come or goes on: see `first-boot.ts`. */
  readonly firstBoot: string;
  /** The machine's, below `--root`. */
  readonly currentSystem: string;
  readonly bootedSystem: string;
  readonly systemd: string;
  readonly lock: string;
  /** Where everything is kept that must outlive a boot. */
  readonly state: string;
  readonly sources: string;
  /** Archives on their way into the store. */
  readonly staging: string;
  /** Swap for the time of a build: a file, or which device of zram it is on. */
  readonly swapFile: string;
  readonly zramRecord: string;
  /** Plans that were shown to somebody, by their digest. */
  readonly plans: string;
  /** Generations that a person keeps. */
  readonly pins: string;
  /** There while generations are being deleted and what follows from it is not done. */
  readonly collecting: string;
  /** How the hooks of the last change ended. */
  readonly hooks: string;
  readonly credentials: string;
  readonly stamps: string;
  readonly report: string;
  readonly journal: string;
  readonly etcNixos: string;
}

/** Installers of GRUB leave out a profile whose name has anything but letters, digits and `_`. */
const trialName = "firstlight_trial";

/** Whether a file among the profiles is of a trial by a restart. */
export function isTrialLink(name: string): boolean {
  return name === trialName || /^firstlight_trial-[0-9]+-link$/.test(name);
}

/** Whether a path is an object of the store; not below one, and nothing that leads out of it. */
export function isStorePath(store: string, path: string): boolean {
  return (
    path.startsWith(`${store}/`) &&
    /^[0-9a-z]{32}-[0-9A-Za-z+._?=-]+$/.test(path.slice(store.length + 1))
  );
}

/** The one literal place of paths; Nix's directories as its environment variables say. */
export function systemPaths(env: Io["env"]): SystemPaths {
  const state = env["NIX_STATE_DIR"] ?? "/nix/var/nix";
  return {
    store: env["NIX_STORE_DIR"] ?? "/nix/store",
    profiles: `${state}/profiles`,
    profile: `${state}/profiles/system`,
    daemonSocket: `${state}/daemon-socket/socket`,
    trialProfiles: `${state}/profiles/system-profiles`,
    trialProfile: `${state}/profiles/system-profiles/${trialName}`,
    gcRoots: `${state}/gcroots/firstlight`,
    firstBoot: `${state}/gcroots/firstlight-first-boot`,
    currentSystem: "/run/current-system",
    bootedSystem: "/run/booted-system",
    systemd: "/run/systemd/system",
    lock: "/run/firstlight/system.lock",
    state: "/var/lib/firstlight",
    sources: "/var/lib/firstlight/sources",
    staging: "/var/lib/firstlight/fetch",
    swapFile: "/var/lib/firstlight/build.swap",
    zramRecord: "/run/firstlight/build-zram",
    plans: "/var/lib/firstlight/plans",
    pins: "/var/lib/firstlight/pinned-generations.json",
    collecting: "/var/lib/firstlight/collecting.json",
    hooks: "/var/lib/firstlight/hooks.json",
    credentials: "/var/lib/firstlight/credentials",
    stamps: "/var/lib/firstlight/stamps",
    report: "/var/lib/firstlight/report",
    journal: "/var/lib/firstlight/journal/journal.jsonl",
    etcNixos: "/etc/nixos",
  };
}
