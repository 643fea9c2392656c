# environment.etc, and the files that other options make below /etc.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings mapAttrsToList mkIf mkOption types;
  files = lib.filter (file: file.enable) (lib.attrValues config.environment.etc);
  sshd = config.services.openssh;
  sudo = config.security.sudo;
  sshdValue = v: if v == true then "yes" else if v == false then "no" else if lib.isList v then lib.concatStringsSep "," v else toString v;
  nixValue = v: if lib.isBool v then lib.boolToString v else toString v;
  sudoRule = rule: concatMapStrings (who: concatMapStrings (command: ''
    ${who} ${rule.host or "ALL"}=(${rule.runAs or "ALL:ALL"}) ${concatMapStrings (o: "${o}:") (command.options or [ ])}${command.command or command}
  '') (rule.commands or [ ])) ((rule.users or [ ]) ++ map (g: "%${toString g}") (rule.groups or [ ]));
in
{
  options.environment.etc = mkOption {
    default = { };
    type = types.attrsOf (types.submodule ({ name, config, ... }: {
      options = {
        enable = mkOption { type = types.bool; default = true; };
        target = mkOption { type = types.str; default = name; };
        text = mkOption { type = types.nullOr types.lines; default = null; };
        source = mkOption { type = types.path; };
        mode = mkOption { type = types.str; default = "symlink"; };
        uid = mkOption { type = types.int; default = 0; };
        gid = mkOption { type = types.int; default = 0; };
        user = mkOption { type = types.str; default = "+${toString config.uid}"; };
        group = mkOption { type = types.str; default = "+${toString config.gid}"; };
      };
      config.source = mkIf (config.text != null) (lib.mkOptionDefault (pkgs.writeText "etc-${lib.sanitizeDerivationName (baseNameOf name)}" config.text));
    }));
  };

  config = {
    environment.etc = {
      hostname = mkIf (config.networking.hostName != "") { text = "${config.networking.hostName}\n"; };
      hosts.text = concatMapStrings (line: "${line}\n") (mapAttrsToList (ip: names: "${ip} ${toString names}")
        (lib.filterAttrs (_: names: names != [ ]) config.networking.hosts)) + config.networking.extraHosts;
      "os-release".text = ''
        NAME=NixOS
        ID=nixos
        VERSION_ID="${config.system.nixos.release}"
      '';
      "locale.conf".text = "LANG=${config.i18n.defaultLocale}\n"
        + concatMapStrings (line: "${line}\n") (mapAttrsToList (name: value: "${name}=${value}") config.i18n.extraLocaleSettings);
      "vconsole.conf".text = "KEYMAP=${toString config.console.keyMap}\n";
      localtime = mkIf (config.time.timeZone != null) { source = "/etc/zoneinfo/${config.time.timeZone}"; };
      sudoers = mkIf sudo.enable {
        mode = "0440";
        text = ''
          root ALL=(ALL:ALL) SETENV: ALL
          %wheel ALL=(ALL:ALL) ${lib.optionalString (!sudo.wheelNeedsPassword) "NOPASSWD:"}ALL
        '' + concatMapStrings sudoRule sudo.extraRules + sudo.extraConfig;
      };
      "ssh/sshd_config" = mkIf sshd.enable {
        text = concatMapStrings (port: "Port ${toString port}\n") sshd.ports
          + concatMapStrings (line: "${line}\n") (mapAttrsToList (key: value: "${key} ${sshdValue value}") (lib.filterAttrs (_: v: v != null) sshd.settings))
          + "AuthorizedKeysFile ${toString (lib.optional sshd.authorizedKeysInHomedir "%h/.ssh/authorized_keys" ++ [ "/etc/ssh/authorized_keys.d/%u" ] ++ sshd.authorizedKeysFiles)}\n"
          + sshd.extraConfig;
      };
      "nix/nix.conf".text = concatMapStrings (line: "${line}\n") (mapAttrsToList (key: value: "${key} = ${nixValue value}") config.nix.settings) + config.nix.extraOptions;
      "docker/daemon.json" = mkIf config.virtualisation.docker.enable { text = builtins.toJSON config.virtualisation.docker.daemon.settings; };
      "ssl/certs/extra.pem" = mkIf (config.security.pki.certificates != [ ]) { text = lib.concatStringsSep "\n" config.security.pki.certificates; };
      "nix-path".text = lib.concatStringsSep ":" config.nix.nixPath;
      "udev/rules.d/99-local.rules" = mkIf (config.services.udev.extraRules != "") { text = config.services.udev.extraRules; };
      "modprobe.d/nixos.conf".text = concatMapStrings (m: "blacklist ${m}\n") config.boot.blacklistedKernelModules + config.boot.extraModprobeConfig;
      "modules-load.d/nixos.conf".text = concatMapStrings (m: "${m}\n") config.boot.kernelModules;
      "sysctl.d/60-nixos.conf".text = concatMapStrings (line: "${line}\n") (mapAttrsToList (name: value: "${name} = ${if value == false then "0" else toString value}")
        (lib.filterAttrs (_: v: v != null) config.boot.kernel.sysctl));
      fstab.text = concatMapStrings (fs: "${toString fs.device} ${lib.escape [ " " ] fs.mountPoint} ${fs.fsType} ${lib.concatStringsSep "," fs.options} 0 0\n") (lib.attrValues config.fileSystems)
        + concatMapStrings (swap: "${swap.device} none swap defaults 0 0\n") config.swapDevices;
      "set-environment".text = concatMapStrings (line: "${line}\n") (mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg (toString value)}")
        (config.environment.variables // config.environment.sessionVariables));
    };

    # One build for the whole tree: `etc`, beside it the same tree as links into /etc/static, the
    # names of its files, and what is to be copied with a mode of its own (see activate.sh).
    system.build.etc = pkgs.runCommand "etc" { } ''
      put() { # source, target, mode, user, group
        case "/$2/" in */../* | //*) echo "environment.etc: $2 leaves /etc" >&2; exit 1 ;; esac
        mkdir -p "etc/''${2%"''${2##*/}"}" "links/''${2%"''${2##*/}"}"
        if [ -e "etc/$2" ] || [ -L "etc/$2" ]; then echo "environment.etc: duplicate entry $2" >&2; exit 1; fi
        ln -s "$1" "etc/$2"
        printf '%s\n' "$2" >> files
        if [ "$3" != symlink ]; then
          printf '%s %s %s %s\n' "$3" "$4" "$5" "$2" >> modes
          # As NixOS writes it down: a file of this name says that the entry is copied.
          printf '%s\n' "$3" > "etc/$2.mode"
        else ln -s "/etc/static/$2" "links/$2"
        fi
      }
      mkdir -p "$out/etc" "$out/links" && cd "$out" && : > files && : > modes
      ${concatMapStrings (file: "put ${lib.escapeShellArgs [ "${file.source}" file.target file.mode file.user file.group ]}\n") files}
      LC_ALL=C sort -o files files
    '';
  };
}
