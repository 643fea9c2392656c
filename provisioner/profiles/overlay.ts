import { isFault } from "#core/fault.ts";
import { type Finding, hasErrors } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { compileBeside } from "./compile.ts";
import type { ProfileSet, ShippedProfiles } from "./profile.ts";
import { folderIds } from "./profile-digest.ts";

/** Where the profiles of a fleet's owner are. */
export interface OverlayOptions {
  readonly files: Files;
  /** Absolute path of a directory with VENDOR/MODEL/profile.yaml. */
  readonly directory: string;
  /** Users whose files are taken: root, and who runs the program. */
  readonly trustedUsers: readonly number[];
}

const writableByOthers = 0o022;

/**
 * The shipped profiles with the owner's beside them; one of the same id replaces the shipped one,
 * for those that extend it as well. Never throws for what the directory holds: with an error in it,
 * or where another user could write to it, the shipped ones alone are used, and the findings say why.
 */
export function withOverlay(shipped: ShippedProfiles, options: OverlayOptions): ProfileSet {
  try {
    const { set, findings } = join(shipped, options);
    if (!hasErrors(findings)) return { ...set, findings };
    return { ...shipped, findings: findings.map(withoutStop) };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ...shipped, findings: [withoutStop(say(options.directory, error.message))] };
  }
}

/** The profiles of a boot are no reason to stop it. */
function withoutStop(finding: Finding): Finding {
  if (finding.level !== "error") return finding;
  const hint = notForTheLint.has(finding.hint) ? finding.hint : notUsed;
  return { ...finding, level: "warning", hint };
}

const notUsed =
  "none of the profiles in this directory is used until `firstlight profiles lint` finds no error in it";
const makeDirectory = "make the directory, or take `profiles.directory` out of the settings";
const closeToOthers =
  "none of the profiles in this directory is used until it is root's alone: `chown -R root` and `chmod -R go-w` make it so";
/** What is wrong on this machine alone: the lint looks at what the profiles say. */
const notForTheLint: ReadonlySet<string | null> = new Set([makeDirectory, closeToOthers]);

function join(
  shipped: ShippedProfiles,
  options: OverlayOptions,
): { readonly set: ProfileSet; readonly findings: readonly Finding[] } {
  const { files, directory } = options;
  if (files.stat(directory) === undefined)
    return {
      set: shipped,
      findings: [say(directory, "there is no such directory", makeDirectory)],
    };
  const open = openToOthers(options);
  if (open.length > 0) return { set: shipped, findings: open };
  const { compiled, findings } = compileBeside(shipped, files, directory);
  return {
    set: compiled,
    findings: findings.map((each) => ({ ...each, document: `${directory}/${each.document}` })),
  };
}

/** What another user could change: then it would be that one who decides what root runs. */
function openToOthers({ files, directory, trustedUsers }: OverlayOptions): readonly Finding[] {
  const ids = folderIds(files, directory);
  const vendors = new Set(ids.map((id) => id.split("/")[0] ?? ""));
  const parts = ids.flatMap((id) => [id, `${id}/profile.yaml`, `${id}/module.nix`]);
  const paths = [directory, ...[...vendors, ...parts].map((part) => `${directory}/${part}`)];
  return paths.flatMap((path) => {
    const real = files.realPath(path);
    const stat = real === undefined ? undefined : files.stat(real);
    if (stat === undefined) return [];
    if (!trustedUsers.includes(stat.uid))
      return [say(path, "does not belong to root", closeToOthers)];
    return (stat.mode & writableByOthers) === 0
      ? []
      : [say(path, "may be written by others than its owner", closeToOthers)];
  });
}

function say(document: string, message: string, hint: string | null = null): Finding {
  const place = { document, path: "", line: null, column: null } as const;
  return { ...place, level: "error", code: "profile/invalid", message, hint };
}
