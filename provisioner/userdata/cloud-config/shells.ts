import type { User } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";

type Shell = NonNullable<User["shell"]>;

/** Shells by the name of their program: NixOS has no `/bin/bash`, it has packages. */
const shells: Readonly<Record<string, Shell>> = {
  bash: "bash",
  sh: "bash",
  zsh: "zsh",
  fish: "fish",
  dash: "dash",
  nu: "nushell",
  nologin: "nologin",
  false: "nologin",
};

/** The shell behind a path such as `/usr/bin/zsh`; an unknown one is a finding, and the default is kept. */
export function readShell(input: Input | undefined): Shell | undefined {
  // `shell: false` is how YAML reads the program's bare name
  const path = input?.value === false ? "false" : input?.text();
  if (input === undefined || path === undefined) return undefined;
  input.mark("translated");
  const shell = getOwn(shells, path.split("/").at(-1) ?? "");
  if (shell === undefined) {
    input.unsupported({
      code: "cloud-config/unknown-shell",
      message: "no package of NixOS is known for this shell; the default shell is used",
      hint: `known are ${Object.keys(shells).join(", ")}; others can be set with \`firstlight: options\``,
    });
  }
  return shell;
}
