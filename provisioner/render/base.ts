import type { Json } from "#core/canonical-json.ts";
import type { RootStack } from "./root-stack.ts";
import type { SourceFile } from "./sources.ts";

/** A source tree that a system is evaluated from, fixed by content. */
export interface Pin {
  /** Path in the Nix store; the only place it is read from. */
  readonly storePath: string;
  /** SRI hash of its NAR, for example `sha256-…=`; `null` when unknown (a rendering without Nix). */
  readonly narHash: string | null;
  readonly revision: string | null;
}

/**
 * Every source tree of a system by name; `nixpkgs` is needed to build, the others where they are used.
 * `base` is the machine's own configuration from Git.
 */
export type Pins = Readonly<
  Partial<Record<"nixpkgs" | "nixos-hardware" | "home-manager" | "firstlight" | "base", Pin>>
>;

/** Where a base lies that came from Git: its tree is in the store, and is what the hash says. */
export interface GitBase {
  readonly url: string;
  /** Of the commit. */
  readonly rev: string;
  /** SRI hash of the tree's NAR. */
  readonly narHash: string;
  readonly storePath: string;
  /** A module by its path in the tree, or by its name among the outputs of the tree's flake. */
  readonly entry: { readonly file: string } | { readonly flake: readonly string[] };
}

/** What every rendered system stands on; decided once per instance, and an input of each rendering. */
export interface Base {
  /**
   * `adopted`: the image's own /etc/nixos, copied verbatim below `firstlight/base/`, or what `git` names;
   * `platform`: nothing was there, so the profile's platform module, or the machine as it is mounted
   * now, gives root file system and boot loader.
   */
  readonly kind: "adopted" | "platform";
  /** Of an adopted base: its files, paths below `firstlight/base/` with `configuration.nix` among them. */
  readonly files: readonly SourceFile[];
  /** Of an adopted base that came from Git, which is pinned as `base` and has no `files`. */
  readonly git?: GitBase;
  /** Of a platform base whose profile brings no root file system and boot loader: what was found instead. */
  readonly platform: Platform | null;
  /** What the root file system lies on now, read anew each time; `null` or absent where nothing tells. */
  readonly root?: RootStack | null;
  readonly pins: Pins;
  /** Release of NixOS that the system is evaluated with: `26.05`; absent where nothing tells. */
  readonly release?: string;
  /** Imports of the profile that the pinned nixos-hardware has not; absent where that cannot be told. */
  readonly absentImports?: readonly string[];
  /** No machine stands behind it, as at a desk: what an image pins and declares is not known. */
  readonly isPreview?: true;
  /** NixOS's `system.stateVersion`, set once and never rewritten. */
  readonly stateVersion: string;
  /** Set once (see the spec's key of the same name); `null` leaves it to the adopted configuration. */
  readonly mutableUsers: boolean | null;
  /**
   * The settings that the image came with (`/etc/firstlight/settings.json`), for the rendered system
   * to go on saying; empty where it had none.
   */
  readonly settings: { readonly [key: string]: Json };
  /** Text of the owner's `local.nix`, or `null`. */
  readonly local: string | null;
  /** Text of `nixos/module.nix` and of what it needs, by path below `firstlight/agent/`: so that the agent is still there after the switch. */
  readonly agentModule: readonly SourceFile[];
}

/** What a machine that came without a configuration boots from, where its profile brings no platform. */
export interface Platform {
  /** As they are mounted now. */
  readonly fileSystems: readonly FoundFileSystem[];
  /** Devices and files that are swapped to now. */
  readonly swaps: readonly string[];
  /** What is mounted or swapped to now, and is not part of the system. */
  readonly left: readonly LeftOut[];
  /** GRUB with the disk that it is installed to; `nodev` when the firmware is UEFI. */
  readonly bootLoader: "systemd-boot" | "extlinux" | { readonly grub: string };
  /** Where the EFI system partition is mounted. */
  readonly esp: string | null;
}

/** A file system of a disk, or with the type `none` a directory that is mounted a second time. */
export interface FoundFileSystem {
  readonly path: string;
  readonly device: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** What was found and cannot be told, with the reason as the rest of a sentence. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** A secret as the configuration refers to it. */
export interface CredentialFile {
  /** `<name>@<digest>`, file name below `/var/lib/firstlight/credentials`. */
  readonly file: string;
  readonly name: string;
  /** Digest of the value under this name: the same however the file lies on the disk. */
  readonly version: string;
  /** Encrypted with systemd-creds (`LoadCredentialEncrypted`) or plain, root-only (`LoadCredential`). */
  readonly encrypted: boolean;
  /** Length of the secret itself; a unit can be given only so much. */
  readonly bytes: number;
}
