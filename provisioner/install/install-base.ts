import { path } from "#provisioner/nix-language/tree.ts";
import type { Base, Pins } from "#provisioner/render/base.ts";
import { moduleFile } from "#provisioner/render/module-file.ts";
import type { SourceFile } from "#provisioner/render/sources.ts";
import type { Layout } from "./layout.ts";
import { storageFile, storageModule } from "./storage-options.ts";

/** What the base of a new system is made from beside its disks. */
export interface InstallBaseParts {
  readonly layout: Layout;
  /** The disks by the kernel's names now, whose drivers the initial RAM disk needs. */
  readonly disks: readonly string[];
  readonly pins: Pins;
  readonly stateVersion: string;
  readonly release: string | undefined;
  readonly settings: Base["settings"];
  readonly agentModule: readonly SourceFile[];
}

/**
 * The base of a system that is installed: its own configuration is what says the disks, as if the
 * image had come with it, so that the node stands on the same ever after.
 */
export function installBase(parts: InstallBaseParts): Base {
  const { layout, disks, pins, stateVersion, release, settings, agentModule } = parts;
  const entry = moduleFile({
    path: "configuration.nix",
    header: "What this machine is, from its installation on.",
    imports: [path(`./${storageFile}`)],
    assignments: [],
  });
  const storage = storageModule(layout);
  return {
    kind: "adopted",
    files: [...(entry === undefined ? [] : [entry]), storage],
    platform: null,
    root: { disks, layers: layersOf(layout), untold: [] },
    ...(release === undefined ? {} : { release }),
    ...{ pins, stateVersion, settings, agentModule, mutableUsers: true, local: null },
  };
}

/** Modules of what lies between the disks and the file systems. */
function layersOf({ encrypted, arrays }: Layout): readonly string[] {
  return [
    ...(encrypted.length > 0 ? ["dm_crypt", "dm_mod"] : []),
    ...(arrays.length > 0 ? ["md_mod", "raid1"] : []),
  ];
}
