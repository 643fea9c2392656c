import path from "node:path";
import { hostIo } from "#core/host-io.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { readDeclared } from "#provisioner/profiles/declared.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { noMatch, tryRender } from "#provisioner/render/try-render.ts";
import { writeRendered } from "../render-check.ts";
import { architectureOf, machineOf, type RecordedFacts, recordedIn } from "./machine-of.ts";

const { files } = hostIo({ root: path.resolve(import.meta.dirname, "../..") });
const { compiled, folders } = compileProfiles(files, "/hardware-profiles");
const recorded = recordedFacts();

/** The generated list of modules and profiles. */
export const declared = readDeclared(files, "/hardware-profiles");

/** One module of nixos-hardware on a configuration of ours. */
export interface Configuration {
  /** Path of the module. */
  readonly module: string;
  /** The profile that was rendered. Where it does not import the module, the owner does. */
  readonly profile: string;
  readonly system: string;
  /** File to evaluate. */
  readonly entry: string;
}

/** What is rendered, and where to. */
export interface WriteOptions {
  readonly checkout: string;
  readonly directory: string;
  /** Text of the module and of all that it imports. */
  readonly text: string;
  /** What the owner says beside it. */
  readonly spec?: Omit<Spec, "version">;
}

/**
 * Our profiles of a module. Where none has it, those of the module that it lies below, as a variant does, else
 * that of its kind of processor: an owner imports it beside them.
 */
export function profilesOf(module: string): readonly CompiledProfile[] {
  const importing = compiled.profiles.filter(({ nixos }) => nixos.imports.includes(module));
  const own = withLast(module);
  const found = own.length > 0 ? own : importing.slice(0, 1);
  if (found.length > 0) return found;
  const above = withLast(path.dirname(module));
  const kind = architectureOf(module) === "x86_64" ? "generic/x86-64" : "generic/aarch64";
  return above.length > 0 ? above : compiled.profiles.filter(({ id }) => id === kind);
}

function withLast(module: string): readonly CompiledProfile[] {
  return compiled.profiles.filter(({ nixos }) => nixos.imports.at(-1) === module);
}

/** Renders the machine of a profile, and says what to evaluate. */
export function writeConfiguration(
  module: string,
  profile: CompiledProfile,
  { checkout, directory, text, spec = {} }: WriteOptions,
): Configuration {
  const facts = machineOf(profile, module, text, recorded);
  const hasNvidia = facts.gpus?.some(({ vendor }) => vendor === "10de") === true;
  const match = { ...noMatch, profile: profile.id, applied: profile.id };
  const platform = {
    fileSystems: [
      { path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] },
      { path: "/boot", device: "/dev/disk/by-uuid/0002", type: "vfat", options: [] },
    ],
    swaps: [],
    left: [],
    ...loaderOf(text),
  } as const;
  const pins = { "nixos-hardware": { storePath: checkout, narHash: null, revision: null } };
  const { sources } = tryRender(
    { hostname: "machine", ...(hasNvidia && { unfree: ["nvidia-x11"] }), ...spec },
    { facts, match, profiles: compiled, base: { release: "26.05", pins, platform } },
  );
  const name = `${module}-${profile.id}`.replaceAll("/", "-");
  const imports = profile.nixos.imports.includes(module) ? [] : [module];
  const entry = writeRendered(path.join(directory, name), {
    ...sources,
    files: [
      ...sources.files,
      {
        path: "machine.nix",
        mode: 0o644,
        content: `{ imports = [ ${["./configuration.nix", ...imports.map((each) => path.join(checkout, each))].join(" ")} ]; }\n`,
      },
    ],
  });
  const system = `${facts.cpu.architecture}-linux`;
  return { module, profile: profile.id, system, entry: path.join(entry, "../machine.nix") };
}

/** What was found on a machine of that module: boards start by the menu that their module writes. */
function loaderOf(text: string) {
  return /generic-extlinux-compatible\.enable = (lib\.mkDefault )?true/.test(text)
    ? ({ bootLoader: "extlinux", esp: null } as const)
    : ({ bootLoader: "systemd-boot", esp: "/boot" } as const);
}

function recordedFacts(): RecordedFacts {
  const own = new Map(
    folders.flatMap(({ file, fixtures }) => {
      const facts = recordedIn(file, fixtures);
      return facts === undefined ? [] : [[file.id, facts] as const];
    }),
  );
  const x86 = own.get("generic/x86-64");
  const arm = own.get("raspberry-pi/4");
  if (x86 === undefined || arm === undefined)
    throw new Error("expected a recorded machine of generic/x86-64 and of raspberry-pi/4");
  own.delete("generic/x86-64");
  return { x86, arm, own };
}
