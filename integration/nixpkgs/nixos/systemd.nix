# Units as NixOS writes them: below etc/systemd/system, with the links of wantedBy and requiredBy.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings concatStringsSep filterAttrs mapAttrs mapAttrs' mapAttrsToList mkIf mkMerge mkOption nameValuePair optionalAttrs types;
  inherit (types) anything attrsOf bool either lines listOf nullOr oneOf package path str submodule;
  option = type: default: mkOption { inherit type default; };
  list = option (listOf str) [ ];
  text = option lines "";
  value = nullOr (oneOf [ bool types.int types.float str path package ]);
  section = option (attrsOf (either (listOf value) value)) { };

  relations = {
    after = "After"; before = "Before"; bindsTo = "BindsTo"; conflicts = "Conflicts"; documentation = "Documentation";
    onFailure = "OnFailure"; onSuccess = "OnSuccess"; partOf = "PartOf"; requires = "Requires"; requisite = "Requisite"; upholds = "Upholds"; wants = "Wants";
  };
  unit = { name, ... }: {
    options = mapAttrs (_: _: list) relations // {
      aliases = list;
      description = option types.singleLineStr "";
      enable = option bool true;
      name = option str name;
      overrideStrategy = option (types.enum [ "asDropin" "asDropinIfExists" ]) "asDropinIfExists";
      reloadTriggers = option (listOf anything) [ ];
      requiredBy = list;
      restartTriggers = option (listOf anything) [ ];
      startLimitBurst = option (nullOr types.int) null;
      startLimitIntervalSec = option (nullOr types.int) null;
      unitConfig = section;
      upheldBy = list;
      wantedBy = list;
    };
  };
  service.options = {
    confinement = option anything { };
    enableStrictShellChecks = option bool false;
    environment = option (attrsOf (nullOr (oneOf [ str path package ]))) { };
    path = option (listOf (nullOr (oneOf [ package str ]))) [ ];
    postStart = text; postStop = text; preStart = text; preStop = text; reload = text; script = text;
    reloadIfChanged = option bool false;
    restartIfChanged = option bool true;
    scriptArgs = option str "";
    serviceConfig = section;
    startAt = option (types.coercedTo str lib.singleton (listOf str)) [ ];
    stopIfChanged = option bool true;
  };
  kinds = {
    services = { suffix = "service"; body = serviceBody; extra = service; };
    sockets = { suffix = "socket"; body = u: sections { Socket = u.socketConfig // lists { ListenStream = u.listenStreams; ListenDatagram = u.listenDatagrams; }; }; extra.options = { socketConfig = section; listenStreams = list; listenDatagrams = list; }; };
    timers = { suffix = "timer"; body = u: sections { Timer = u.timerConfig; }; extra.options.timerConfig = section; };
    paths = { suffix = "path"; body = u: sections { Path = u.pathConfig; }; extra.options.pathConfig = section; };
    slices = { suffix = "slice"; body = u: sections { Slice = u.sliceConfig; }; extra.options.sliceConfig = section; };
    targets = { suffix = "target"; body = _: ""; extra = { }; };
  };
  mounts = {
    mounts = { suffix = "mount"; section = "Mount"; options = { what = option str ""; where = option str ""; type = option str ""; options = option types.commas ""; mountConfig = section; }; };
    automounts = { suffix = "automount"; section = "Automount"; options = { where = option str ""; automountConfig = section; }; };
  };

  show = v: if v == true then "true" else if v == false then "false" else toString v;
  lists = filterAttrs (_: v: v != [ ]);
  lines' = set: concatMapStrings (line: line) (mapAttrsToList (key: v:
    if lib.isList v then concatMapStrings (x: "${key}=${show x}\n") v else lib.optionalString (v != null) "${key}=${show v}\n") set);
  sections = all: concatMapStrings (name: lib.optionalString (all.${name} != { }) "\n[${name}]\n${lines' all.${name}}") (lib.attrNames all);
  triggers = name: given: optionalAttrs (given != [ ]) { ${name} = builtins.hashString "sha256" (builtins.unsafeDiscardStringContext (toString given)); };

  head = u: "[Unit]\n" + lines' (
    optionalAttrs (u.description != "") { Description = u.description; }
    // optionalAttrs (u.startLimitBurst != null) { StartLimitBurst = u.startLimitBurst; }
    // optionalAttrs (u.startLimitIntervalSec != null) { StartLimitIntervalSec = u.startLimitIntervalSec; }
    // triggers "X-Restart-Triggers" u.restartTriggers
    // triggers "X-Reload-Triggers" u.reloadTriggers
    // lib.concatMapAttrs (option: key: optionalAttrs (u.${option} != [ ]) { ${key} = toString u.${option}; }) relations
    // u.unitConfig);

  # A script of a unit is a file of its own, so that the unit's text changes with it.
  command = u: option: key: optionalAttrs (u.${option} != "") {
    ${key} = [ "${pkgs.writeShellScript "unit-script-${lib.sanitizeDerivationName u.name}-${option}" "set -e\n${u.${option}}"}${lib.optionalString (option == "script" && u.scriptArgs != "") " ${u.scriptArgs}"}" ];
  };
  programs = [ pkgs.coreutils pkgs.findutils pkgs.gnugrep pkgs.gnused pkgs.systemd ];
  serviceBody = u:
    let
      searched = lib.filter (p: p != null) u.path ++ programs;
      environment = { PATH = lib.concatMapStringsSep ":" (d: "${d}/bin:${d}/sbin") searched; } // u.environment;
      scripts = lib.foldl' (all: pair: all // command u (lib.elemAt pair 0) (lib.elemAt pair 1)) { } [
        [ "script" "ExecStart" ] [ "preStart" "ExecStartPre" ] [ "postStart" "ExecStartPost" ] [ "preStop" "ExecStop" ] [ "postStop" "ExecStopPost" ] [ "reload" "ExecReload" ]
      ];
      both = lib.zipAttrsWith (_: vs: if lib.length vs == 1 then lib.head vs else lib.concatMap lib.toList vs) [ scripts u.serviceConfig ];
    in
    "\n[Service]\n"
    + concatMapStrings (line: line) (mapAttrsToList (name: v: lib.optionalString (v != null) "Environment=${builtins.toJSON "${name}=${toString v}"}\n") environment)
    + lib.optionalString u.reloadIfChanged "X-ReloadIfChanged=true\n"
    + lib.optionalString (!u.restartIfChanged) "X-RestartIfChanged=false\n"
    + lib.optionalString (!u.stopIfChanged) "X-StopIfChanged=false\n"
    + lines' both;

  cfg = config.systemd;
  all = lib.concatMapAttrs (kind: k: mapAttrs' (name: u: nameValuePair "${name}.${k.suffix}" { inherit (u) enable wantedBy requiredBy upheldBy aliases overrideStrategy; text = head u + k.body u; }) cfg.${kind}) kinds
    // lib.concatMapAttrs (kind: k: lib.listToAttrs (map (m: nameValuePair "${lib.escapeSystemdPath m.where}.${k.suffix}" {
      inherit (m) enable wantedBy requiredBy upheldBy aliases overrideStrategy;
      text = head m + sections { ${k.section} = filterAttrs (_: v: v != "") { Where = m.where; What = m.what or ""; Type = m.type or ""; Options = m.options or ""; } // m.${"${lib.removeSuffix "s" kind}Config"}; };
    }) cfg.${kind})) mounts
    // mapAttrs (_: u: { inherit (u) enable wantedBy requiredBy; upheldBy = [ ]; aliases = [ ]; overrideStrategy = ""; text = if u.text == null then "" else u.text; }) cfg.units;
  tmpfiles = cfg.tmpfiles;
in
{
  options.systemd = mapAttrs (_: k: option (attrsOf (submodule [ unit k.extra ])) { }) kinds
    // mapAttrs (_: k: option (listOf (submodule [ unit { inherit (k) options; config.name = lib.mkDefault ""; } ])) [ ]) mounts
    // {
      enableEmergencyMode = option bool true;
      generators = option (attrsOf path) { };
      globalEnvironment = option (attrsOf (nullOr str)) { };
      package = option package pkgs.systemd;
      packages = option (listOf package) [ ];
      tmpfiles.rules = list;
      tmpfiles.settings = option (attrsOf (attrsOf (attrsOf (submodule ({ name, ... }: {
        options = { type = option str name; mode = option str "-"; user = option str "-"; group = option str "-"; age = option str "-"; argument = option str ""; };
      }))))) { };
      units = option (attrsOf (submodule { options = { enable = option bool true; text = option (nullOr str) null; wantedBy = list; requiredBy = list; }; })) { };
    };

  config = {
    # A service with startAt has a timer of its name.
    systemd.timers = mapAttrs (_: u: { wantedBy = [ "timers.target" ]; timerConfig.OnCalendar = u.startAt; }) (filterAttrs (_: u: u.enable && u.startAt != [ ]) cfg.services);
    systemd.services = mkMerge [
      (mkIf config.services.openssh.enable { sshd = {
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        stopIfChanged = false;
        preStart = "mkdir -p /run/sshd; ${pkgs.openssh}/bin/ssh-keygen -A";
        serviceConfig.ExecStart = "${pkgs.openssh}/bin/sshd -D -f /etc/ssh/sshd_config";
        restartTriggers = [ config.environment.etc."ssh/sshd_config".source ];
      }; })
      (mkIf config.virtualisation.docker.enable { docker = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "${pkgs.docker}/bin/dockerd"; reloadIfChanged = true; restartTriggers = [ (builtins.toJSON config.virtualisation.docker.daemon.settings) ]; }; })
      (mkIf config.networking.firewall.enable { firewall = { wantedBy = [ "sysinit.target" ]; reloadIfChanged = true; script = "echo tcp ${toString config.networking.firewall.allowedTCPPorts} udp ${toString config.networking.firewall.allowedUDPPorts}"; }; })
    ];

    environment.etc = {
      "tmpfiles.d/00-nixos.conf" = mkIf (tmpfiles.rules != [ ]) { text = concatMapStrings (rule: "${rule}\n") tmpfiles.rules; };
      "systemd/system".source = config.system.build.units;
    } // mapAttrs' (name: source: nameValuePair "systemd/system-generators/${name}" { inherit source; }) cfg.generators // mapAttrs' (name: paths: nameValuePair "tmpfiles.d/${name}.conf" {
      text = concatStringsSep "" (lib.concatLists (mapAttrsToList (path: types': mapAttrsToList (_: r: "'${r.type}' '${path}' '${r.mode}' '${r.user}' '${r.group}' '${r.age}' ${r.argument}\n") types') paths));
    }) tmpfiles.settings;

    system.build.units = pkgs.runCommand "system-units" { } ''
      mkdir -p "$out" && cd "$out"
      wanted() { # unit, kind, targets
        unit=$1 kind=$2; shift 2
        for target; do mkdir -p "$target.$kind"; ln -sfn "../$unit" "$target.$kind/$unit"; done
      }
      lay() { # what a package has: of directories, such as those of drop-ins, each file
        if [ -d "$1" ]; then
          mkdir -p "''${1##*/}"
          ln -sfn "$1"/* "''${1##*/}/"
        elif [ -e "$1" ]; then ln -sfn "$1" .; fi
      }
      ${concatMapStrings (package: "for unit in ${package}/etc/systemd/system/* ${package}/lib/systemd/system/*; do lay \"$unit\"; done\n") cfg.packages}
      ${concatStringsSep "" (mapAttrsToList (name: u: let quoted = lib.escapeShellArg name; in
        if !u.enable then "ln -sfn /dev/null ${quoted}\n" else ''
          ${if u.overrideStrategy == "asDropin" then ''
            # A unit of the distribution, with this laid over it.
            ln -sfn /lib/systemd/system/${quoted} ${quoted}
            mkdir -p ${quoted}.d
            printf %s ${lib.escapeShellArg u.text} > ${quoted}.d/overrides.conf
          '' else "printf %s ${lib.escapeShellArg u.text} > ${quoted}"}
          wanted ${quoted} wants ${lib.escapeShellArgs u.wantedBy}
          wanted ${quoted} requires ${lib.escapeShellArgs u.requiredBy}
          wanted ${quoted} upholds ${lib.escapeShellArgs u.upheldBy}
          for alias in ${lib.escapeShellArgs u.aliases}; do ln -sfn ${quoted} "$alias"; done
        '') all)}
    '';
  };
}
