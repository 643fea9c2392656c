import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { parseEnvironment } from "#provisioner/system/loaders/grub-environment.ts";
import type { Container } from "./container.ts";

/** An entry of GRUB's menu, as NixOS's installer writes it. */
export interface MenuEntry {
  /** The titles that lead to it, joined by `>`. */
  readonly title: string;
  /** The system whose `init` it starts. */
  readonly system: string;
  /** What GRUB loads for it, by the system's own name for it: paths on the machine. */
  readonly files: Readonly<Record<"kernel" | "initrd", string>>;
}

/** The entries of a machine's menu in their order; the first one is the default. */
export function menuEntries(machine: Container): readonly MenuEntry[] {
  const entries: MenuEntry[] = [];
  const open: string[] = [];
  let linux: readonly string[] = [];
  for (const line of read(machine, "/boot/grub/grub.cfg").split("\n")) {
    const title = /^(?:menuentry|submenu) "([^"]*)".*\{$/.exec(line)?.[1];
    if (title !== undefined) open.push(title.replaceAll(">", ">>"));
    else if (line === "}") open.pop();
    const [what, file = "", ...rest] = line.trim().split(" ");
    if (what === "linux") linux = [file, ...rest];
    if (what !== "initrd") continue;
    const [kernel = "", init = ""] = linux;
    const system = init.replace(/^init=(.*)\/init$/, "$1");
    const files = { kernel: onBoot(kernel), initrd: onBoot(file) };
    entries.push({ title: open.join(">"), system, files });
  }
  return entries;
}

/** The entry that the next start boots once; `undefined` when none is chosen. */
export function chosenEntry(machine: Container): MenuEntry | undefined {
  const chosen = parseEnvironment(read(machine, "/boot/grub/grubenv")).get("next_entry");
  return menuEntries(machine).find(({ title }) => title === chosen);
}

/** Kernel and initrd of an entry that are not, to the byte, those of its system. */
export function brokenFiles(
  machine: Container,
  { title, system, files }: MenuEntry,
): readonly string[] {
  return Object.entries(files).flatMap(([part, file]) => {
    const own = machine.path(readlinkSync(machine.path(`${system}/${part}`)));
    const at = machine.path(file);
    if (!existsSync(at)) return [`${title}: ${file} is not there`];
    const isWhole = readFileSync(at).equals(readFileSync(own));
    return isWhole ? [] : [`${title}: ${file} is not the ${part} of ${system}`];
  });
}

function onBoot(file: string): string {
  return file.replace("($drive1)/", "/boot");
}

function read(machine: Container, file: string): string {
  return existsSync(machine.path(file)) ? readFileSync(machine.path(file), "utf8") : "";
}
