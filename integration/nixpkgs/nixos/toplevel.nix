# The system itself: one derivation with what NixOS's toplevel has at its top.
{ config, lib, pkgs, given, ... }:
let
  inherit (lib) concatMapStrings concatStringsSep mapAttrsToList;
  script = name: "#!/bin/bash\nsystem=${builtins.placeholder "out"}\n${builtins.readFile ./scripts/machine.sh}\n${builtins.readFile (./scripts + "/${name}.sh")}";
  kernel = config.boot.kernelPackages.kernel or { version = "none"; };
  cfg = config;
  inherit (config.boot) loader;

  # A value as JSON can hold it, references to the store left out.
  plain = v:
    if builtins.isFunction v then "<function>"
    else if lib.isDerivation v then "<package ${v.pname or v.name}>"
    else if builtins.isList v then map plain v
    else if builtins.isAttrs v then builtins.mapAttrs (_: plain) v
    else if builtins.isPath v then toString v
    else v;
  shown = builtins.unsafeDiscardStringContext (builtins.toJSON (plain (removeAttrs given [ "_module" "lib" "meta" "assertions" "warnings" "nixpkgs" "environment" "systemd" "users" ]
    // { system = removeAttrs given.system [ "build" "checks" "extraDependencies" "activationScripts" ]; })));

  # Who has no number gets one by its place: normal users from 1000 up, others from 400.
  numbered = start: key: things: lib.listToAttrs (lib.imap0 (n: thing: lib.nameValuePair thing.name (start + n)) (lib.filter (thing: thing.${key} == null) things));
  gids = numbered 400 "gid" (lib.attrValues cfg.users.groups);
  uids = numbered 1000 "uid" (lib.filter (u: u.isNormalUser) users) // numbered 400 "uid" (lib.filter (u: !u.isNormalUser) users);
  gid = name: let known = cfg.users.groups.${name} or { gid = 65534; }; in if known.gid == null then gids.${name} else known.gid;
  users = lib.filter (u: u.enable) (lib.attrValues cfg.users.users);
  orEmpty = v: if v == null then "" else toString v;
  userLine = u: "user ${lib.escapeShellArgs [
    u.name (if u.uid == null then uids.${u.name} else u.uid) (gid u.group) u.description u.home (lib.optionalString u.createHome u.homeMode)
    (if u.shell ? shellPath then "/run/current-system/sw${u.shell.shellPath}" else orEmpty u.shell)
    (orEmpty u.hashedPassword) (orEmpty u.hashedPasswordFile) (orEmpty u.initialHashedPassword)
  ]}\n";
  groupLine = g: "${g.name}:x:${toString (gid g.name)}:${concatStringsSep "," (lib.unique (g.members ++ map (u: u.name) (lib.filter (u: lib.elem g.name u.extraGroups) users)))}\n";

  # A container has no kernel of its own.
  hasKernel = !cfg.boot.isContainer;
  linux = pkgs.runCommand "linux-${kernel.version}" { inherit (cfg.standIn) kernelBuild; } ''
    mkdir "$out"
    ${if cfg.standIn.kernelImage != null then "cp ${cfg.standIn.kernelImage} \"$out/bzImage\""
      else "yes \"linux ${kernel.version}, build $kernelBuild\" | head -c 200000 > \"$out/bzImage\""}
  '';
  # Of an archive in the form newc of cpio.
  archive = ''
    held=$(mktemp)
    entry() { # name; standard input is what it holds
      cat > "$held"
      size=$(wc -c < "$held") length=$((''${#1} + 1))
      printf 070701; printf %08X 1 33188 0 0 1 0 "$size" 0 0 0 0 "$length" 0
      printf %s "$1"; head -c $((1 + (6 - length % 4) % 4)) /dev/zero
      cat "$held"; head -c $(((4 - size % 4) % 4)) /dev/zero
    }
  '';
  # What the kernel unpacks: an archive (newc of cpio) of one file, which says what it was made from.
  initrd = pkgs.runCommand "initrd-linux-${kernel.version}" {
    inherit (cfg.standIn) kernelBuild;
    settings = builtins.unsafeDiscardStringContext (builtins.toJSON (plain (removeAttrs (given.boot.initrd or { }) [ "secrets" ])));
  } ''
    ${archive}
    mkdir "$out"
    { echo "build $kernelBuild: $settings" | entry stand-in; entry 'TRAILER!!!' < /dev/null; } > "$out/initrd"
  '';

  files = {
    activate = script "activate";
    "activation-steps" = cfg.system.build.activationSteps;
    "activation-exit-code" = lib.optionalString (cfg.standIn.activationExitCode != null) "${toString cfg.standIn.activationExitCode}\n";
    "bin/install-boot-loader" = script "install-boot-loader";
    "bin/switch-to-configuration" = script "switch-to-configuration";
    boot-loader = lib.optionalString loader.systemd-boot.enable "systemd-boot"
      + lib.optionalString loader.grub.enable "grub"
      + lib.optionalString loader.generic-extlinux-compatible.enable "extlinux";
    "failing-units" = concatMapStrings (unit: "${unit}\n") cfg.standIn.failingUnits;
    groups = concatMapStrings groupLine (lib.attrValues cfg.users.groups);
    init = script "init";
    "init-interface-version" = "stand-in ${cfg.standIn.initInterfaceVersion}\n";
    "nixos-version" = cfg.system.nixos.label;
    "pre-switch-checks" = "#!/bin/bash\nset -e\n" + concatStringsSep "" (mapAttrsToList (name: text: ''
      if ! ( ${text}
      ); then echo ${lib.escapeShellArg "Pre-switch check '${name}' failed"}; exit 1; fi
    '') cfg.system.preSwitchChecks);
    "switch-actions" = lib.optionalString cfg.standIn.check "check|" + "switch|boot|test|dry-activate";
    "switch-inhibitors" = builtins.toJSON cfg.system.switch.inhibitors;
    system = pkgs.system;
    "users.sh" = "mutable=${lib.boolToString cfg.users.mutableUsers}\n" + concatMapStrings userLine users;
    "packages" = concatMapStrings (p: "${p.name or (builtins.unsafeDiscardStringContext (baseNameOf p))}\n") (lib.unique cfg.environment.systemPackages);
  } // lib.optionalAttrs hasKernel {
    "kernel-params" = toString cfg.boot.kernelParams;
    append-initrd-secrets = ''
      #!/bin/bash
      set -eu
      ${lib.optionalString (cfg.boot.initrd.secrets == { }) "exit 0"}
      ${archive}
      trap 'rm -f "$held" "$made"' EXIT
      made=$(mktemp)
      {
        ${concatStringsSep "" (mapAttrsToList (path: source: "entry .initrd-secrets/${path} < ${if source == null then path else source}\n") cfg.boot.initrd.secrets)}
        entry 'TRAILER!!!' < /dev/null
      } > "$made"
      cat "$made" >> "$1"
    '';
  };
  executable = lib.optional hasKernel "append-initrd-secrets" ++ [ "activate" "bin/install-boot-loader" "bin/switch-to-configuration" "init" "pre-switch-checks" ];

  toplevel = pkgs.runCommand "nixos-system-${cfg.system.name}-${cfg.system.nixos.label}" { } ''
    mkdir -p "$out/bin" "$out/sw/bin" && cd "$out"
    ${concatStringsSep "" (mapAttrsToList (name: text: "printf %s ${lib.escapeShellArg text} > ${name}\n") files)}
    chmod 555 ${toString executable}
    ln -s ${cfg.system.build.etc}/etc etc
    ln -s ${cfg.system.build.etc} etc-tree
    cp ${cfg.system.build.users} users-groups.json
    ln -s ${cfg.systemd.package} systemd
    ${lib.optionalString hasKernel "ln -s ${linux}/bzImage kernel; ln -s ${initrd}/initrd initrd"}
    for package in ${toString (lib.unique cfg.environment.systemPackages)}; do
      for program in "$package"/bin/*; do
        if [ -e "$program" ] || [ -L "$program" ]; then programs="$programs $program"; fi
      done
    done
    if [ -n "$programs" ]; then ln -sf -t sw/bin $programs; fi
    printf '{"org.nixos.bootspec.v1":{"system":"%s","init":"%s/init","initrd":"%s/initrd","kernel":"%s/kernel","kernelParams":%s,"label":"%s","toplevel":"%s"}}' \
      ${pkgs.system} "$out" "$out" "$out" ${lib.escapeShellArg (builtins.toJSON cfg.boot.kernelParams)} ${lib.escapeShellArg cfg.system.nixos.label} "$out" > boot.json
    ${concatMapStrings (path: "echo ${path} >> extra-dependencies\n") (cfg.system.extraDependencies ++ cfg.system.checks)}
    ${cfg.system.extraSystemBuilderCmds}
    ${lib.optionalString cfg.standIn.failingBuild "echo \"standIn.failingBuild is set\" >&2; exit 1"}
  '';

  failed = map (a: a.message) (lib.filter (a: !a.assertion) cfg.assertions);
in
{
  config.environment.etc."firstlight-test/config.json".text = shown;
  config.system.build.toplevel =
    if failed != [ ] then throw "\nFailed assertions:\n${concatStringsSep "\n" (map (message: "- ${message}") failed)}"
    else lib.foldr lib.warn toplevel cfg.warnings;
}
