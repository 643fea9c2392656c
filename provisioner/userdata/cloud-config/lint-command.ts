import type { Input } from "../input.ts";
import { programPathsIn } from "./program-paths.ts";

/** Only the beginning of a command is looked at. */
const maxLength = 10_000;

const packageManager = commandNamed("apt-get|apt|aptitude|dpkg|yum|dnf|zypper|apk|pacman|snap");
const cloudInit = commandNamed("(?:/usr/bin/)?(?:cloud-init|cloud-init-per|cloud-id)");

/** One of these names where a command begins. */
function commandNamed(names: string): RegExp {
  return new RegExp(`(?:^|[\\n;&|(])[ \\t]{0,20}(?:sudo[ \\t]{1,5})?(?:${names})(?=\\s|$)`);
}

/**
 * Warns of what cannot work in a script on NixOS. The findings never repeat the script. What the
 * document writes itself is there.
 */
export function lintCommand(
  item: Input,
  words: readonly string[],
  written: ReadonlySet<string>,
): void {
  const text = words.join(" ").slice(0, maxLength);
  if (programPathsIn(text).some((path) => !written.has(path))) {
    item.add("warning", {
      code: "cloud-config/program-path",
      message: "NixOS has no programs under /bin, /sbin and /usr but /bin/sh and /usr/bin/env",
      hint: "write the name of the program alone, and add its package",
    });
  }
  if (packageManager.test(text)) {
    item.add("warning", {
      code: "cloud-config/package-manager",
      message: "NixOS has no package manager of another distribution",
      hint: "name the packages under `packages`",
    });
  }
  if (cloudInit.test(text)) {
    item.add("warning", {
      code: "cloud-config/cloud-init-program",
      message: "the programs of cloud-init are not on this system",
      hint: "say how often a command runs with `frequency` under `firstlight: commands`; ask `firstlight status` and `firstlight query`",
    });
  }
}
