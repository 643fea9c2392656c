import t from "tap";
import { type OptionAssignment, optionEntries } from "#provisioner/nix-language/option-set.ts";
import {
  attrs,
  bind,
  bool,
  call,
  float,
  int,
  lambda,
  list,
  moduleOf,
  type NixExpr,
  nil,
  path,
  ref,
  str,
  withScope,
} from "#provisioner/nix-language/tree.ts";
import { checkOptions, loadOptionList } from "./option-list.ts";
import { buildOptionTree } from "./option-tree.ts";

const real = loadOptionList({ "services.firstlight.enable": "boolean" });
if (real === undefined && process.env["CI"] === "true" && process.env["FIRSTLIGHT_SHARED_DATA"]) {
  throw new Error("FIRSTLIGHT_SHARED_DATA names a folder without nixos-options.json.gz");
}
const skip = real === undefined ? "the option list is not on this machine (../shared/data)" : false;
const options = real ?? buildOptionTree([]);

/** The problems of one assignment, as `problem: message`. */
function problems(path: readonly string[], value: NixExpr): readonly string[] {
  const assignment: OptionAssignment = { path, value };
  return checkOptions(
    [{ file: "instance.nix", expr: moduleOf(["lib"], attrs(optionEntries([assignment]))) }],
    options,
  ).map(({ problem, message }) => `${problem}: ${message}`);
}

const words = (...texts: readonly string[]): NixExpr => list(texts.map(str));
const lib = (name: string, ...args: readonly NixExpr[]): NixExpr => call(ref("lib", name), ...args);
const named = (name: string, value: NixExpr): NixExpr => attrs([bind(name, value)]);

const good: readonly (readonly [string, NixExpr])[] = [
  ["time.timeZone", str("Europe/Berlin")],
  ["time.timeZone", nil],
  ["services.openssh.enable", bool(true)],
  ["services.openssh.enable", lib("mkForce", bool(false))],
  ["services.openssh.enable", ref("config", "anything")],
  ["services.openssh.settings.PasswordAuthentication", bool(false)],
  ["services.openssh.settings.AnyOtherKeyOfSshd", str("yes")],
  ["services.openssh", attrs([])],
  ["networking.firewall.allowedTCPPorts", list([int(22)])],
  [
    "networking.interfaces.eth0.ipv4.addresses",
    list([attrs([bind("address", str("192.0.2.5")), bind("prefixLength", int(24))])]),
  ],
  ["users.users.alice.openssh.authorizedKeys.keys", words("ssh-ed25519 AAAA")],
  ["users.users.alice.shell", ref("pkgs", "zsh")],
  ["users.users.alice.shell", str("/bin/sh")],
  ["users.users.alice.extraGroups", words("wheel")],
  ["users.users.alice", named("isNormalUser", bool(true))],
  ["environment.systemPackages", withScope(ref("pkgs"), list([ref("vim")]))],
  ["environment.etc.motd.text", str("hello")],
  ["environment.etc.motd.source", path("./motd")],
  ["environment.variables.EDITOR", str("vim")],
  ["boot.kernel.sysctl.vm", int(1)],
  ["boot.kernelPackages", ref("pkgs", "linuxPackages_latest")],
  ["fileSystems.root", attrs([bind("device", str("/dev/sda1")), bind("fsType", str("ext4"))])],
  ["swapDevices", list([named("device", str("/swap"))])],
  ["systemd.services.x.serviceConfig.ExecStart", str("/bin/true")],
  ["systemd.services.x.serviceConfig.Environment", words("A=1")],
  ["systemd.network.networks.lan.matchConfig.Name", str("eth0")],
  ["nix.settings.experimental-features", words("nix-command")],
  ["networking.networkmanager.ensureProfiles.profiles.lan.connection.uuid", str("a")],
  ["networking.networkmanager.ensureProfiles.profiles.lan.ipv4.method", str("auto")],
  ["nixpkgs.config.allowUnfree", bool(true)],
  ["nixpkgs.overlays", list([lambda("final", lambda("prev", attrs([])))])],
  ["security.sudo.extraRules", list([attrs([bind("users", words("alice"))])])],
  ["system.stateVersion", str("25.11")],
  ["hardware.facter.reportPath", path("./facter.json")],
  ["assertions", list([attrs([bind("assertion", bool(true)), bind("message", str("m"))])])],
  ["home-manager.users.alice.programs.git.enable", bool(true)],
  ["services.firstlight.enable", bool(true)],
];

for (const [name, value] of good) {
  t.test(`${name} is known and a value of kind ${value.kind} fits`, { skip }, async (t) => {
    t.same(problems(name.split("."), value), []);
  });
}

const misspelt: readonly (readonly [string, NixExpr, RegExp])[] = [
  ["services.opnessh.enable", bool(true), /opnessh is none; near: openssh/],
  ["services.openssh.enabled", bool(true), /enabled is none; near: enable/],
  ["tme.timeZone", str("UTC"), /tme is none; near: time/],
  ["time.timezone", str("UTC"), /timezone is none; near: timeZone/],
  ["networking.hostname", str("a"), /near: hostName/],
  ["networking.firewall.allowedTCPPort", list([int(22)]), /near: allowedTCPPorts/],
  ["users.users.alice.openssh.authorizedKey.keys", words("k"), /near: authorizedKeys/],
  ["users.users.alice.isNormaluser", bool(true), /near: isNormalUser/],
  ["users.users.alice", named("shel", str("/bin/sh")), /users\.users\.alice\.shel: .*near: shell/],
  ["environment.etc.motd.txt", str("x"), /near: text/],
  [
    "swapDevices",
    list([named("devise", str("/swap"))]),
    /swapDevices\[0\]\.devise: .*near: device/,
  ],
  ["system.stateversion", str("25.11"), /near: stateVersion/],
  ["time.timeZone.name", str("UTC"), /name is none/],
  ["services.openssh.enable.x", bool(true), /x is none/],
  ["networking.networkmanager.ensureProfile.profiles.a", attrs([]), /near: ensureProfiles/],
  ["services.firstlight.enabel", bool(true), /near: enable/],
  ["no.such.option.at.all", attrs([]), /no is none/],
];

for (const [name, value, message] of misspelt) {
  t.test(`${name} is unknown`, { skip }, async (t) => {
    const found = problems(name.split("."), value);
    t.equal(found.length, 1, "the misspelling is one problem");
    t.match(found[0] ?? "", /^unknown-option/);
    t.match(found[0] ?? "", message);
  });
}

const unfit: readonly (readonly [string, NixExpr, RegExp])[] = [
  ["services.openssh.enable", str("true"), /expected boolean, got the string "true"/],
  ["services.openssh.enable", int(1), /kind int/],
  ["networking.networkmanager.ensureProfiles.profiles.a.connection.id", int(1), /kind int/],
  ["networking.networkmanager.ensureProfiles.profiles.a.connection", str("a"), /string "a"/],
  ["services.openssh.enable", lib("mkIf", bool(true), str("yes")), /the string "yes"/],
  ["services.openssh", bool(true), /expected a group of options/],
  ["services.openssh.settings.UseDns", list([]), /kind list/],
  ["time.timeZone", int(1), /kind int/],
  ["time.timeZone", attrs([]), /kind attrs/],
  ["networking.hostName", nil, /kind null/],
  ["networking.firewall.allowedTCPPorts", int(22), /kind int/],
  ["networking.firewall.allowedTCPPorts", words("22"), /allowedTCPPorts\[0\]: .*the string "22"/],
  ["users.users", list([]), /kind list/],
  ["users.users.alice.uid", float(1000.5), /kind float/],
  ["users.users.alice.shell", bool(true), /kind bool/],
  ["users.users.alice.shell", str("zsh"), /the string "zsh"/],
  ["users.users.alice.extraGroups", str("wheel"), /the string "wheel"/],
  ["environment.systemPackages", words("vim"), /systemPackages\[0\]: .*the string "vim"/],
  ["environment.etc.motd", str("hello"), /the string "hello"/],
  ["environment.variables.EDITOR", attrs([]), /kind attrs/],
  ["boot.kernelModules", list([int(1)]), /kind int/],
  ["swapDevices", list([named("device", int(1))]), /swapDevices\[0\]\.device/],
  ["i18n.defaultLocale", path("./x"), /kind path/],
  ["systemd.services.x.wantedBy", str("multi-user.target"), /the string/],
];

for (const [name, value, message] of unfit) {
  t.test(`${name} refuses ${value.kind}`, { skip }, async (t) => {
    const found = problems(name.split("."), value);
    t.equal(found.length, 1, "the unfit value is one problem");
    t.match(found[0] ?? "", /^unfit-value/);
    t.match(found[0] ?? "", message);
  });
}

t.test("every problem of every module is reported with its file", { skip }, async (t) => {
  const wrong = attrs([bind(["tme", "zone"], str("x")), bind(["time", "timeZone"], int(1))]);
  const found = checkOptions(
    [
      { file: "a.nix", expr: wrong },
      { file: "b.nix", expr: moduleOf([], named("boot", named("kernelModules", nil))) },
    ],
    options,
  );
  t.same(
    found.map(({ file, option, problem }) => [file, option, problem]),
    [
      ["a.nix", "tme.zone", "unknown-option"],
      ["a.nix", "time.timeZone", "unfit-value"],
      ["b.nix", "boot.kernelModules", "unfit-value"],
    ],
  );
});

t.test("names with dots in them are one name", async (t) => {
  const tree = buildOptionTree([
    ["boot.kernel.sysctl", "attribute set of signed integer"],
    ["boot.kernel.sysctl._net.core.rmem_max_", "null or string"],
  ]);
  const check = (name: string, value: NixExpr) =>
    checkOptions(
      [{ file: "x", expr: attrs([bind(["boot", "kernel", "sysctl", name], value)]) }],
      tree,
    );
  t.same(check("net.core.rmem_max", str("x")), []);
  t.same(check("net.ipv4.ip_forward", int(1)), []);
  t.equal(check("net.core.rmem_max", int(1))[0]?.problem, "unfit-value");
  t.equal(check("net.ipv4.ip_forward", str("x"))[0]?.problem, "unfit-value");
});
