import { hintForOwned } from "#provisioner/render/owned-paths.ts";
import { hintForUnread } from "#provisioner/render/unread-paths.ts";
import type { HintedText } from "../input.ts";
import { getOwn } from "../own-key.ts";

type Rule = (words: readonly string[]) => HintedText | undefined;

const foreign = (message: string, hint: string): HintedText => ({
  code: "cloud-config/foreign-command",
  message,
  hint,
});

const packageManager: Rule = () => ({
  code: "cloud-config/package-manager",
  message: "NixOS has no package manager of another distribution",
  hint: "name the packages under `packages`",
});

const cloudInit: Rule = () => ({
  code: "cloud-config/cloud-init-program",
  message: "the programs of cloud-init are not on this system",
  hint: "say how often a command runs with `frequency` under `firstlight: commands`; ask `firstlight status` and `firstlight query`",
});

/** A tool of other distributions, and what says the same. */
const missing =
  (hint: string): Rule =>
  ([name = ""]) =>
    foreign(`NixOS has no \`${name}\``, hint);

/** A tool that would change a file that is part of the system. */
const fixed =
  (hint: string, ...verbs: readonly string[]): Rule =>
  ([name = "", ...words]) => {
    const verb = words.find((word) => !word.startsWith("-")) ?? "";
    const isNamed = verbs.includes(verb);
    if (verbs.length > 0 && !isNamed) return undefined;
    const said = isNamed ? `${name} ${verb}` : name;
    return foreign(`\`${said}\` changes nothing that lasts on NixOS, or fails`, hint);
  };

const unitVerbs = [
  ...["enable", "disable", "reenable", "preset", "mask", "unmask", "edit", "link", "revert"],
  "set-default",
];
const unitHint =
  "give the unit `wantedBy` under `firstlight: units`, or set services.NAME.enable under `firstlight: options`; `systemctl start` works";
const firewall = missing("set networking.firewall.allowedTCPPorts under `firstlight: options`");
const grub = missing("set boot.kernelParams under `firstlight: options`");
const initrd = missing("set boot.initrd.availableKernelModules under `firstlight: options`");
const authorities = missing("put the certificates under `firstlight: certificates`");
const locales = missing("use `locale`");
const services = missing("use `systemctl start`, and `firstlight: units` for what starts at boot");
const accounts: Rule = ([name = ""]) =>
  foreign(
    `accounts that \`${name}\` makes or changes are not part of the configuration`,
    "use `users` and `groups`",
  );

/** What programs by these names do on NixOS. */
const rules: Readonly<Record<string, Rule>> = {
  ...named(
    packageManager,
    "apt-get apt aptitude dpkg yum dnf zypper apk pacman snap apt-key apt-add-repository add-apt-repository rpm dpkg-reconfigure debconf-set-selections",
  ),
  ...named(cloudInit, "cloud-init cloud-init-per cloud-id"),
  ...named(firewall, "ufw firewall-cmd netfilter-persistent iptables-persistent"),
  ...named(grub, "update-grub update-grub2 grub-mkconfig grub2-mkconfig grubby"),
  ...named(initrd, "update-initramfs mkinitramfs dracut"),
  ...named(authorities, "update-ca-certificates update-ca-trust"),
  ...named(locales, "locale-gen update-locale"),
  ...named(services, "service update-rc.d chkconfig invoke-rc.d"),
  ...named(
    accounts,
    "adduser useradd usermod addgroup groupadd groupmod gpasswd deluser userdel delgroup groupdel chsh",
  ),
  netplan: missing("use `firstlight: network`, or the network config of the datasource"),
  "update-alternatives": missing("name the package that is wanted under `packages`"),
  systemctl: (words) =>
    words.some((word) => word === "--user" || word === "--runtime" || word === "--global")
      ? undefined
      : fixed(unitHint, ...unitVerbs)(words),
  hostnamectl: fixed("use `hostname`", "set-hostname", "hostname"),
  timedatectl: (words) =>
    fixed("use `timezone`", "set-timezone")(words) ?? fixed("use `ntp`", "set-ntp")(words),
  localectl: (words) =>
    fixed("use `locale`", "set-locale")(words) ??
    fixed("use `keyboard`", "set-keymap", "set-x11-keymap")(words),
  sed: (words) =>
    words.some((word) => /^(?:-[a-zA-Z]*i|--in-place)/.test(word))
      ? changedFile(words.slice(1), true)
      : undefined,
  tee: (words) => changedFile(words.slice(1), false),
};

function named(rule: Rule, names: string): Readonly<Record<string, Rule>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}

/** What to say of a command, by its name and words; `undefined` where nothing is wrong with it. */
export function foreignCommand(words: readonly string[]): HintedText | undefined {
  return getOwn(rules, words[0] ?? "")?.(words) ?? changedFile(redirected(words), false);
}

/** What a command's output goes to: `> FILE`, `>>FILE`. */
function redirected(words: readonly string[]): readonly string[] {
  return words.flatMap((word, at) => {
    const [, file = ""] = /^\d?>{1,2}(.*)$/.exec(word) ?? [];
    if (!/^\d?>{1,2}/.test(word)) return [];
    return [file === "" ? (words[at + 1] ?? "") : file];
  });
}

/** Of files below /etc, those of the system are links into the store. */
function changedFile(files: readonly string[], isEdited: boolean): HintedText | undefined {
  const paths = files.map((file) => file.replace(/^["']|["']$/g, ""));
  for (const path of paths.filter((each) => each.startsWith("/etc/"))) {
    const owned = hintForOwned(path);
    if (owned !== undefined) return foreign("a file is changed that NixOS makes itself", owned);
    const unread = hintForUnread(path);
    if (unread !== undefined)
      return foreign("a file is changed that nothing on NixOS reads", unread);
  }
  if (!isEdited || !paths.some((path) => path.startsWith("/etc/"))) return undefined;
  const message = "files of /etc that are part of the system cannot be changed in their place";
  return foreign(
    message,
    "write the whole file with `write_files`, or set the option of its service",
  );
}
