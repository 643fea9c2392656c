import type { Files } from "#core/io.ts";

/** What a built system says of itself, read from its files without a process. */
export interface SystemView {
  /** Release of NixOS, such as `25.11`. */
  readonly release: string | null;
  /** Whether a unit of OpenSSH's server is there and not masked. */
  readonly sshd: boolean;
  /** Users with ssh keys that the system itself brings, sorted. */
  readonly keyUsers: readonly string[];
}

const sshdUnits = ["sshd.service", "sshd.socket", "sshd@.service"];
const keysDirectory = "etc/ssh/authorized_keys.d";
/** Beside a file of /etc that is copied, NixOS puts its mode and owner under these endings. */
const besides = [".mode", ".uid", ".gid"];

/** Looks at a system of the store. */
export function viewSystem(storeFiles: Files, toplevel: string): SystemView {
  const text = (file: string) =>
    storeFiles.readText(`${toplevel}/${file}`, { maxBytes: 1024 * 1024 }) ?? "";
  const names = storeFiles.list(`${toplevel}/${keysDirectory}`);
  const isBeside = (name: string) =>
    besides.some((end) => name.endsWith(end) && names.includes(name.slice(0, -end.length)));
  return {
    release: /^VERSION_ID="?([0-9]{2}\.[0-9]{2})/m.exec(text("etc/os-release"))?.[1] ?? null,
    sshd: sshdUnits.some((unit) => hasUnit(storeFiles, toplevel, unit)),
    keyUsers: names.filter(
      (name) => !isBeside(name) && text(`${keysDirectory}/${name}`).trim() !== "",
    ),
  };
}

function hasUnit(storeFiles: Files, toplevel: string, unit: string): boolean {
  const file = `${toplevel}/etc/systemd/system/${unit}`;
  return storeFiles.stat(file) !== undefined && storeFiles.readLink(file) !== "/dev/null";
}
