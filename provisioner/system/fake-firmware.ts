import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Boot loaders that a machine for tests can have. */
export type FakeLoader = "systemd-boot" | "grub" | "extlinux";

/** What starts a machine in a directory: it reads what an installer wrote, as the loaders do. */
export interface FakeFirmware {
  /** The system that a start without any wish boots. */
  bootDefault(): string | undefined;
  /** The system that boots now; a choice for one boot is used up by it. */
  powerOn(): string | undefined;
}

const vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** Where systemd-boot and the system leave word for each other. */
export function efiVariable(name: string): string {
  return `/sys/firmware/efi/efivars/${name}-${vendor}`;
}

/** The firmware of a machine with this loader. */
export function fakeFirmware(root: string, loader: FakeLoader): FakeFirmware {
  const files = directoryFiles(root);
  switch (loader) {
    case "systemd-boot":
      return systemdBoot(files);
    case "grub":
      return grub(files);
    case "extlinux":
      return extlinux(files);
  }
}

interface DirectoryFiles {
  read(file: string): string | undefined;
  readBytes(file: string): Buffer | undefined;
  write(file: string, data: string | Uint8Array): void;
  remove(file: string): void;
  list(directory: string): readonly string[];
}

function directoryFiles(root: string): DirectoryFiles {
  const at = (file: string) => path.join(root, file);
  const readBytes = (file: string) => (existsSync(at(file)) ? readFileSync(at(file)) : undefined);
  return {
    readBytes,
    read: (file) => readBytes(file)?.toString("utf8"),
    write(file, data) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), data);
    },
    remove: (file) => rmSync(at(file), { force: true }),
    list: (directory) => (existsSync(at(directory)) ? readdirSync(at(directory)).sort() : []),
  };
}

function systemOfOptions(text: string): string | undefined {
  return /(?:^|\s)init=(\S+)\/init(?:\s|$)/m.exec(text)?.[1];
}

/** What an EFI variable holds for the boot loader interface: attributes, then UTF-16 with a NUL. */
export function efiText(text: string): Uint8Array {
  return Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from(`${text}\0`, "utf16le")]);
}

function systemdBoot(files: DirectoryFiles): FakeFirmware {
  const features = Buffer.alloc(12);
  features.writeUInt32LE(6);
  features.writeBigUInt64LE(0b111_1111n, 4);
  files.write(efiVariable("LoaderInfo"), efiText("systemd-boot 257.9"));
  files.write(efiVariable("LoaderFeatures"), features);
  const entries = "/boot/loader/entries";
  const boot = (id: string | undefined) => {
    const found = files
      .list(entries)
      .find((name) => name.replace(/\+\d+(-\d+)?(?=\.conf$)/, "") === id);
    return systemOfOptions(files.read(`${entries}/${found}`) ?? "");
  };
  const byDefault = () =>
    boot(/^default (\S+)$/m.exec(files.read("/boot/loader/loader.conf") ?? "")?.[1]);
  return {
    bootDefault: byDefault,
    powerOn() {
      const variable = efiVariable("LoaderEntryOneShot");
      const once = files.readBytes(variable)?.subarray(4).toString("utf16le").replace(/\0+$/, "");
      files.remove(variable);
      return boot(once) ?? byDefault();
    },
  };
}

function grub(files: DirectoryFiles): FakeFirmware {
  const environment = "/boot/grub/grubenv";
  const menu = () => {
    const paths = new Map<string, string>();
    const open: string[] = [];
    for (const line of (files.read("/boot/grub/grub.cfg") ?? "").split("\n")) {
      const title = /^\s*(?:menuentry|submenu) "([^"]*)"/.exec(line)?.[1];
      const system = systemOfOptions(line);
      if (title !== undefined) open.push(title.replaceAll(">", ">>"));
      else if (line.trim() === "}") open.pop();
      else if (system !== undefined && !paths.has(open.join(">")))
        paths.set(open.join(">"), system);
    }
    return paths;
  };
  return {
    bootDefault: () => menu().values().next().value,
    powerOn() {
      const text = files.read(environment) ?? "";
      const once = /^next_entry=(.+)$/m.exec(text)?.[1];
      if (once !== undefined) {
        const cleared = text.replace(/^next_entry=.+$/m, "next_entry=");
        files.write(environment, cleared.slice(0, 1024).padEnd(1024, "#"));
      }
      return (once === undefined ? undefined : menu().get(once)) ?? menu().values().next().value;
    },
  };
}

function extlinux(files: DirectoryFiles): FakeFirmware {
  const byDefault = () => {
    const text = files.read("/boot/extlinux/extlinux.conf") ?? "";
    const label = /^DEFAULT (\S+)$/m.exec(text)?.[1];
    const entry = text.split(/^LABEL /m).find((part) => part.startsWith(`${label}\n`));
    return systemOfOptions(entry ?? "");
  };
  return { bootDefault: byDefault, powerOn: byDefault };
}

/** A system with a place in the menu: of the system's profile, or of one beside it. */
export interface FakeMenuEntry {
  readonly profile: string | undefined;
  readonly generation: number;
  readonly toplevel: string;
}

/** Writes the menu of a loader as NixOS's installers do: every generation of every profile. */
export function installMenu(
  root: string,
  loader: FakeLoader,
  { entries, bootDefault }: { entries: readonly FakeMenuEntry[]; bootDefault: string },
): void {
  const files = directoryFiles(root);
  switch (loader) {
    case "systemd-boot":
      for (const name of files.list("/boot/loader/entries")) {
        files.remove(`/boot/loader/entries/${name}`);
      }
      for (const { profile, generation, toplevel } of entries) {
        const name = ["nixos", profile, "generation", generation].filter(Boolean).join("-");
        const text = `title NixOS\nlinux /EFI/nixos/kernel.efi\noptions init=${toplevel}/init quiet\n`;
        files.write(`/boot/loader/entries/${name}.conf`, text);
        if (toplevel === bootDefault && profile === undefined) {
          files.write("/boot/loader/loader.conf", `timeout 5\ndefault ${name}.conf\n`);
        }
      }
      return;
    case "grub":
      files.write("/boot/grub/grub.cfg", grubMenu(entries, bootDefault));
      return;
    case "extlinux":
      files.write(
        "/boot/extlinux/extlinux.conf",
        `DEFAULT nixos-default\nTIMEOUT 50\n\nLABEL nixos-default\n  LINUX ../nixos/kernel\n  APPEND init=${bootDefault}/init quiet\n`,
      );
  }
}

function grubMenu(entries: readonly FakeMenuEntry[], bootDefault: string): string {
  const entry = (title: string, toplevel: string) =>
    `menuentry "${title}" --class nixos {\n  linux ($drive1)/nix/store/kernel/bzImage init=${toplevel}/init quiet\n}\n`;
  const profiles = Map.groupBy(entries, ({ profile }) => profile);
  const submenus = [...profiles].map(([profile, of]) => {
    const name =
      profile === undefined ? "NixOS - All configurations" : `NixOS - Profile '${profile}'`;
    const inside = of.map(({ generation, toplevel }) =>
      entry(`NixOS - Configuration ${generation} (2026-01-01 - 26.05)`, toplevel),
    );
    return `submenu "${name}" --class submenu {\n${inside.join("")}}\n`;
  });
  return `# Automatically generated.  DO NOT EDIT THIS FILE!
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "\${next_entry}" ]; then
  set default="\${next_entry}"
  set next_entry=
  save_env next_entry
  set timeout=1
else
  set default=0
  set timeout=5
fi
${entry("NixOS", bootDefault)}${submenus.join("")}`;
}
