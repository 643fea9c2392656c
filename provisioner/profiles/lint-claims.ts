import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { newerKernel } from "./components.ts";
import { compareFirmwareVersions } from "./firmware-version.ts";
import type { CompiledProfile } from "./profile.ts";
import type { ProfileFolder } from "./profile-folder.ts";

const lint = { level: "error", code: "profile/lint" } as const;

/**
 * Kernel parameters that a `module.nix` gives another value than `kernel.params` of the profile, or of
 * one that it takes over: the kernel gets both, and which one counts is its own affair. The same value
 * once more is no fault: behind those of an imported module it is the last, which the kernel takes.
 */
export function lintModuleParams(
  folder: ProfileFolder,
  profile: CompiledProfile,
): readonly Finding[] {
  const { params } = profile.kernel;
  return profile.nixos.modules.flatMap(({ id, text }) =>
    paramsOfModule(text)
      .filter(({ name, value }) => name in params && String(params[name]) !== value)
      .map(({ name, value }) => {
        const message = `is ${params[name]} here and ${value} in module.nix of ${id}: the kernel is told both`;
        const hint = "what depends on a condition belongs to module.nix, and then not here";
        return folder.find(["kernel", "params", name], { ...lint, message, hint });
      }),
  );
}

/** A parameter as text; `true` for one without a value. */
interface Param {
  readonly name: string;
  readonly value: string;
}

/** The parameters in the strings that follow `kernelParams =`, to the end of that setting. */
function paramsOfModule(text: string): readonly Param[] {
  return [...text.matchAll(/\bkernelParams\s*=([^;]*);/g)].flatMap(([, setting = ""]) =>
    [...setting.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
      .map(([, each = ""]) => each)
      .filter((each) => !/^[0-9.]+$/.test(each)) // a release, in a condition
      .map((each) => {
        const [name = "", ...value] = each.split("=");
        return { name, value: value.length === 0 ? "true" : value.join("=") };
      }),
  );
}

/** Ranges of quirks that hold nothing: they end before they begin, or before the kernel that the profile asks for. */
export function lintRanges(folder: ProfileFolder, oldest: string | null): readonly Finding[] {
  return (folder.file.quirks ?? []).flatMap(({ id, applies }, at) => {
    const say = (part: "kernel" | "firmware", message: string) =>
      folder.find(["quirks", at, "applies", part], { ...lint, message: `quirk ${id} ${message}` });
    const { kernel, firmware } = applies ?? {};
    const found: Finding[] = [];
    if (kernel?.before !== undefined) {
      const { from, before } = kernel;
      if (from !== undefined && (from === before || isOlder(before, from)))
        found.push(say("kernel", `is for no kernel: from ${from}, and before ${before}`));
      else if (oldest !== null && isOlder(before, oldest))
        found.push(
          say("kernel", `is for kernels before ${before}, and the profile asks for ${oldest}`),
        );
    }
    if (
      firmware?.from !== undefined &&
      firmware.before !== undefined &&
      compareFirmwareVersions(firmware.before, firmware.from) <= 0
    )
      found.push(
        say("firmware", `is for no firmware: from ${firmware.from}, and before ${firmware.before}`),
      );
    return found;
  });
}

function isOlder(release: string, than: string): boolean {
  return release !== than && newerKernel(release, than) === than;
}

/**
 * A status above `declared` whose evidence is not there: it has to begin with the path of a file, in
 * the profile's folder or from the directory around the profiles, or with an address.
 */
export function lintStatus(
  files: Files,
  directory: string,
  { file, find }: ProfileFolder,
): readonly Finding[] {
  const { level, evidence } = file.status;
  const [place = ""] = evidence.split(/[\s,;]/);
  if (level === "declared" || /^https:\/\/[^/]+\/./.test(place)) return [];
  const around = directory.slice(0, directory.lastIndexOf("/"));
  const exists = [`${directory}/${file.id}/${place}`, `${around}/${place}`].some(
    (path) => files.stat(path)?.kind === "file",
  );
  if (exists && !place.split("/").includes("..")) return [];
  const message = `says ${level}, and there is no ${JSON.stringify(place)} that would show it`;
  const hint = "begin the evidence with the path of a test or a report, or with its address";
  return [find(["status", "evidence"], { ...lint, message, hint })];
}
