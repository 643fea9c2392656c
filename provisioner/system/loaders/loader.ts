import type { ExecResult, Files } from "#core/io.ts";
import type { CommandLine } from "../command-lines.ts";

/** What can boot a system once, so that the boot after it is the default's again. */
export type OnceName = "systemd-boot" | "grub" | "kexec";

/** What a loader works with. */
export interface LoaderPlace {
  /** The machine's, the boot partition among them. */
  readonly files: Files;
  /** Of Nix's own directories. */
  readonly storeFiles: Files;
  /** Runs a program; how it ended is an answer. */
  readonly run: (line: CommandLine) => Promise<ExecResult>;
}

/** What a loader is to this machine. */
export type LoaderProbe =
  /** It is not the one that boots it. */
  | { readonly is: "absent" }
  /** It boots it, and cannot boot a system once; `why` is a sentence for a person. */
  | { readonly is: "unable"; readonly why: string }
  | { readonly is: "able" };

/** What boots machines. */
export interface Loader {
  readonly name: string;
  /** What it is to this machine, with this boot default; reads the real thing and changes nothing. */
  probe(place: LoaderPlace, bootDefault: string): Promise<LoaderProbe>;
}

/** A loader that can boot a system once. */
export interface OnceLoader extends Loader {
  readonly name: OnceName;
  /** Whether the entry of the trial must be written first, by the installer of the boot default. */
  readonly needsEntry: boolean;
  /** How the machine is restarted so that the choice comes into effect. */
  readonly restart: "reboot" | "kexec";
  /**
   * Chooses the system for the next boot alone, and looks whether that was taken; the name of its
   * entry. Throws `system/boot-once-failed`.
   */
  choose(place: LoaderPlace, toplevel: string): Promise<string>;
  /** Whether a choice for the next boot is there, and is this system. */
  chose(place: LoaderPlace, toplevel: string): boolean;
  /**
   * Forgets a choice that is still there, and is this entry where one is named: somebody may have made
   * another since. Throws `system/boot-once-failed`.
   */
  forget(place: LoaderPlace, entry?: string | null): Promise<void>;
}
