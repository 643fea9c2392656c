import { hintForOwned } from "#provisioner/nixos-paths/owned-paths.ts";
import { hintForUnread } from "#provisioner/nixos-paths/unread-paths.ts";
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
const unitFileHint = "write the unit with `write_files`, or use `firstlight: units`";
const firewall = missing("set networking.firewall.allowedTCPPorts under `firstlight: options`");
const grub = missing("set boot.kernelParams under `firstlight: options`");
const initrd = missing("set boot.initrd.availableKernelModules under `firstlight: options`");
const authorities = missing("put the certificates under `firstlight: certificates`");
const locales = missing("use `locale`");
const services = missing("use `systemctl start`, and `firstlight: units` for what starts at boot");
const apache = missing("set services.httpd under `firstlight: options`");
const cron: Rule = () =>
  foreign(
    "`crontab` is there only with services.cron",
    "use `units` with a timer, or set services.cron.systemCronJobs under `firstlight: options`",
  );
const pip: Rule = ([name = "", verb]) =>
  verb === "install"
    ? foreign(
        `\`${name} install\` has nowhere to install to on NixOS`,
        "name `python3Packages.NAME` under `packages`, or install into an environment (`python3 -m venv`)",
      )
    : undefined;
const npm: Rule = ([name = "", ...words]) =>
  words.some((word) => word === "-g" || word === "--global")
    ? foreign(
        `\`${name}\` has nowhere to install for everybody on NixOS`,
        "name the program under `packages`",
      )
    : undefined;
/** What goes where its last word says. */
const put: Rule = (words) => changedFile(words.slice(-1), false);

/** Units that NixOS has by another name. */
const unitNames: Readonly<Record<string, string>> = {
  ssh: "sshd",
  apache2: "httpd",
  networking: "systemd-networkd",
  network: "systemd-networkd",
  rsyslog: "syslog",
  ntp: "ntpd",
  chrony: "chronyd",
  mariadb: "mysql",
};
const unitStates: ReadonlySet<string> = new Set([
  ...["start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "status"],
  ...["is-active", "is-enabled"],
]);

/** A unit that another distribution calls so. */
function otherUnit(words: readonly string[]): HintedText | undefined {
  const [verb = "", ...units] = words.slice(1).filter((word) => !word.startsWith("-"));
  if (!unitStates.has(verb)) return undefined;
  const plain = units.map((unit) => unit.replace(/\.service$/, ""));
  const unit = plain.find((each) => Object.hasOwn(unitNames, each));
  if (unit === undefined) return undefined;
  return foreign(`NixOS has no unit \`${unit}\``, `it is \`${unitNames[unit]}\` there`);
}

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
  ...named(apache, "a2enmod a2dismod a2ensite a2dissite a2enconf"),
  ...named(pip, "pip pip3"),
  ...named(npm, "npm pnpm yarn"),
  ...named(put, "cp mv install ln"),
  crontab: cron,
  lsb_release: missing("read /etc/os-release"),
  systemctl: (words) =>
    words.some((word) => word === "--user" || word === "--runtime" || word === "--global")
      ? undefined
      : (fixed(unitHint, ...unitVerbs)(words) ?? otherUnit(words)),
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
  const [name = ""] = words;
  const rule = name.startsWith("/etc/init.d/") ? services : getOwn(rules, name);
  return rule?.(words) ?? changedFile(redirected(words), false);
}

/** A script from an address, given to a shell. */
const pipedScript =
  /\b(?:curl|wget)\s[^;&|\n]{0,2000}\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:\w+=\S*\s+)*(?:\/bin\/)?(?:ba|da)?sh\b/;
/** What such a script would set up, by its address. */
const installers: readonly (readonly [place: RegExp, hint: string])[] = [
  [/get\.docker\.com/, "name the template docker-host under `firstlight: templates`"],
  [/get\.k3s\.io/, "name the template k3s-server or k3s-agent under `firstlight: templates`"],
  [/tailscale\.com\/install/, "name the template tailscale under `firstlight: templates`"],
  [/nodesource\.com/, "name `nodejs` under `packages`"],
  [/sh\.rustup\.rs/, "name `rustup` under `packages`"],
];

/** What to say of scripts that are fetched and run at once, and where that begins. */
export function fetchedScript(text: string): (HintedText & { readonly index: number }) | undefined {
  const found = pipedScript.exec(text);
  if (found === null) return undefined;
  const known = installers.find(([place]) => place.test(found[0]));
  return {
    ...foreign(
      "a script that is fetched and run at once mostly expects another distribution",
      known?.[1] ?? "see what it sets up, and name that under `packages`, `templates` or `options`",
    ),
    index: found.index,
  };
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
    if (/^\/etc\/systemd\/system(?:\/|$)/.test(path)) {
      return foreign("units in /etc/systemd/system are part of the system", unitFileHint);
    }
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
