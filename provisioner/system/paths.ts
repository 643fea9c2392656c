import type { Io } from "#core/io.ts";

/** Every place on the machine that the system touches. */
export interface SystemPaths {
  /** Nix's own, not below `--root` where real Nix runs. */
  readonly store: string;
  readonly profiles: string;
  /** The system profile: a link to its current generation. */
  readonly profile: string;
  /** Profiles beside the system's, each with entries of its own in the boot menu. */
  readonly trialProfiles: string;
  /** The one of a trial by a restart. */
  readonly trialProfile: string;
  /** Our GC roots: `<transaction>` (the system) and `<transaction>-drv`. */
  readonly gcRoots: string;
  /** The machine's, below `--root`. */
  readonly currentSystem: string;
  readonly bootedSystem: string;
  readonly systemd: string;
  readonly lock: string;
  readonly sources: string;
  /** Archives on their way into the store. */
  readonly staging: string;
  /** Swap for the time of a build: a file, or which device of zram it is on. */
  readonly swapFile: string;
  readonly zramRecord: string;
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
    trialProfiles: `${state}/profiles/system-profiles`,
    trialProfile: `${state}/profiles/system-profiles/${trialName}`,
    gcRoots: `${state}/gcroots/firstlight`,
    currentSystem: "/run/current-system",
    bootedSystem: "/run/booted-system",
    systemd: "/run/systemd/system",
    lock: "/run/firstlight/system.lock",
    sources: "/var/lib/firstlight/sources",
    staging: "/var/lib/firstlight/fetch",
    swapFile: "/var/lib/firstlight/build.swap",
    zramRecord: "/run/firstlight/build-zram",
    journal: "/var/lib/firstlight/journal/journal.jsonl",
    etcNixos: "/etc/nixos",
  };
}
