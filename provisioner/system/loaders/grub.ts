import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { formatEnvironment, parseEnvironment } from "./grub-environment.ts";
import { findMenuEntry } from "./grub-menu.ts";
import type { OnceLoader } from "./loader.ts";
import { mountOf } from "./mounts.ts";

const directory = "/boot/grub";
const menu = `${directory}/grub.cfg`;
const environment = `${directory}/grubenv`;

/**
 * GRUB with NixOS's menu, which boots `next_entry` of its environment once and clears it before it
 * does. That clearing is a write by GRUB itself: where it cannot write, the trial would be booted
 * for ever. https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html
 */
export const grub: OnceLoader = {
  name: "grub",
  needsEntry: true,
  restart: "reboot",
  async probe({ files }, bootDefault) {
    const text = files.readText(menu, { maxBytes });
    if (text === undefined || !boots(text, bootDefault)) return { is: "absent" };
    if (!/if \[ "\$\{next_entry\}" \]/.test(text) || !/^\s*save_env next_entry/m.test(text)) {
      return { is: "unable", why: `${menu} does not look for an entry that is to be booted once` };
    }
    const why = unwritable(files);
    return why === undefined ? { is: "able" } : { is: "unable", why };
  },
  async choose({ files }, toplevel) {
    const entry = findMenuEntry(files.readText(menu, { maxBytes }) ?? "", toplevel);
    if (entry === undefined) {
      throw new Fault("system/boot-once-failed", `${menu}: no entry boots ${toplevel}`);
    }
    const text = formatEnvironment(readEnvironment(files).set("next_entry", entry));
    if (text === undefined) {
      throw new Fault("system/boot-once-failed", `${environment}: there is no room for ${entry}`);
    }
    files.write(environment, text);
    return entry;
  },
  chose({ files }, toplevel) {
    const chosen = readEnvironment(files).get("next_entry");
    return (
      chosen !== undefined &&
      chosen === findMenuEntry(files.readText(menu, { maxBytes }) ?? "", toplevel)
    );
  },
  async forget({ files }, entry = null) {
    const variables = readEnvironment(files);
    const chosen = variables.get("next_entry");
    if (chosen === undefined || (entry !== null && chosen !== entry)) return;
    variables.delete("next_entry");
    files.write(environment, formatEnvironment(variables) ?? "");
  },
};

const maxBytes = 4 * 1024 * 1024;

/** Whether it is this menu that boots the system: an old one of another loader may still lie there. */
function boots(text: string, toplevel: string): boolean {
  return text.includes(` init=${toplevel}/init`);
}

/** File systems that GRUB can write a block of a file on in place. */
const writableTypes = ["ext2", "ext3", "ext4", "vfat", "xfs"];

/** Why GRUB could not clear its environment when it boots; `undefined` where it can. */
function unwritable(files: Files): string | undefined {
  const mount = mountOf(files, directory);
  if (mount === undefined) return `nobody says what ${directory} is mounted from`;
  const { device, type } = mount;
  if (!writableTypes.includes(type)) return `GRUB does not write on ${type}, where ${directory} is`;
  return /^\/dev\/(mapper\/|dm-|md)/.test(device)
    ? `GRUB does not write on ${device}, where ${directory} is`
    : undefined;
}

function readEnvironment(files: Files): Map<string, string> {
  return parseEnvironment(files.readText(environment) ?? "");
}
