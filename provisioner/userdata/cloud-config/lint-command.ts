import type { Input } from "../input.ts";

/** Only the beginning of a command is looked at. */
const maxLength = 10_000;

/** `/bin/sh` and `/usr/bin/env` are all that NixOS has there. */
const programPath =
  /(?:^|[\s;&|("'`])\/(?:usr\/(?:local\/)?)?s?bin\/(?!(?:sh|env)(?![\w.-]))[\w.-]/;
const packageManager =
  /(?:^|[\n;&|(])[ \t]{0,20}(?:sudo[ \t]{1,5})?(?:apt-get|apt|aptitude|dpkg|yum|dnf|zypper|apk|pacman|snap)(?=\s|$)/;

/** Warns of what cannot work in a script on NixOS. The findings never repeat the script. */
export function lintCommand(item: Input, words: readonly string[]): void {
  const text = words.join(" ").slice(0, maxLength);
  if (programPath.test(text)) {
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
}
