import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";

/** Groups of Debian and Ubuntu whose rights another group has on NixOS. */
const counterparts: Readonly<Record<string, string>> = {
  sudo: "wheel",
  admin: "wheel",
  adm: "systemd-journal",
  libvirt: "libvirtd",
};

/** The group of NixOS that has the rights this name stands for, with a note when it is another one. */
export function groupName(name: string, input: Input): string {
  const counterpart = getOwn(counterparts, name);
  if (counterpart === undefined) return name;
  input.add("note", {
    code: "cloud-config/group-mapped",
    message: `the group \`${name}\` is \`${counterpart}\` on NixOS, and that one is used`,
    hint: `write \`${counterpart}\` to silence this`,
  });
  return counterpart;
}
