import { isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import { addFinding } from "./assignment.ts";
import { filesOfHome, type HomeFile } from "./home-files.ts";

/** What the homes of this machine are held against. */
export interface HomeQuestion {
  readonly files: Files;
  readonly spec: Spec;
  readonly origins: ReadonlyMap<string, Origin>;
}

const maxFileBytes = 1024 * 1024;
/** Options by which the owner has said what becomes of files that are there. */
const answers = ["home-manager.backupFileExtension", "home-manager.backupCommand"];

/**
 * Files of the spec's homes that are there already, and not by home-manager: it does not take their place,
 * its unit fails, and a trial with it. Nothing is moved away without a word of the owner.
 */
export function checkHome(question: HomeQuestion): readonly Finding[] {
  const { spec, origins, files } = question;
  if (answers.some((name) => Object.hasOwn(spec.options ?? {}, name))) return [];
  const findings: Finding[] = [];
  for (const [user, home] of Object.entries(spec.home ?? {})) {
    const directory = homeDirectory(question, user);
    const taken = filesOfHome(home).filter((file) => isTaken(files, directory, file));
    for (const { path, from } of taken)
      addFinding(
        { origins, findings } as Parameters<typeof addFinding>[0],
        ["home", user, ...from],
        "warning",
        "render/home-file-there",
        `${directory}/${path} is there already, and home-manager does not take its place: its unit will fail`,
        "move the file away, or say `force: true` for it, or set home-manager.backupFileExtension under `options`",
      );
  }
  return findings;
}

/** As the spec says it, else as it is on the machine now. */
function homeDirectory({ files, spec }: HomeQuestion, user: string): string {
  const said = spec.users?.[user]?.home;
  if (said !== undefined) return said;
  const passwd = files.readText("/etc/passwd", { maxBytes: maxFileBytes }) ?? "";
  const line = passwd.split("\n").find((each) => each.startsWith(`${user}:`));
  return line?.split(":")[5] || (user === "root" ? "/root" : `/home/${user}`);
}

/**
 * Not so where a directory on the way is a link: its user made it, and what is told must say nothing of what only
 * root sees behind it. Nor where the place cannot be looked at: no user's home stops a change.
 */
function isTaken(files: Files, directory: string, { path, content, force }: HomeFile): boolean {
  const names = path.split("/");
  if (force || names.includes("..")) return false;
  const full = `${directory}/${path}`;
  try {
    for (const [index] of names.slice(1).entries()) {
      const way = names.slice(0, index + 1).join("/");
      if (files.readLink(`${directory}/${way}`) !== undefined) return false;
    }
    const target = files.readLink(full);
    if (target !== undefined) return !/^\/nix\/store\/[^/]+-home-manager-files\//.test(target);
    if (files.stat(full) === undefined) return false;
  } catch (error) {
    if (isFault(error, "io/read-failed")) return false;
    throw error;
  }
  return content === undefined || textOf(files, full) !== content;
}

function textOf(files: Files, path: string): string | undefined {
  try {
    return files.readText(path, { maxBytes: maxFileBytes });
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}
