# users.users and users.groups, with the checks that NixOS makes.
{ config, lib, pkgs, utils, ... }:
let
  inherit (lib) attrValues concatMap filter mkDefault mkIf mkMerge mkOption types;
  inherit (types) attrsOf bool enum int listOf nullOr package passwdEntry path str submodule;
  option = type: default: mkOption { inherit type default; };
  cfg = config.users;
  secret = option (nullOr str) null;
  keysOf = user: user.openssh.authorizedKeys.keys ++ map builtins.readFile user.openssh.authorizedKeys.keyFiles;
  shells = { fish = pkgs.fish; xonsh = pkgs.xonsh; zsh = pkgs.zsh; };

  user = { name, config, ... }: {
    options = {
      name = option (passwdEntry str) name;
      enable = option bool true;
      autoSubUidGidRange = option bool false;
      createHome = option bool false;
      description = option (passwdEntry str) "";
      expires = option (nullOr (types.strMatching "[[:digit:]]{4}-[[:digit:]]{2}-[[:digit:]]{2}")) null;
      extraGroups = option (listOf str) [ ];
      group = option str "";
      hashedPassword = option (nullOr (passwdEntry str)) null;
      hashedPasswordFile = option (nullOr str) config.passwordFile;
      home = option (passwdEntry path) "/var/empty";
      homeMode = option (types.strMatching "[0-7]{1,5}") "700";
      ignoreShellProgramCheck = option bool false;
      initialHashedPassword = option (nullOr (passwdEntry str)) null;
      initialPassword = secret;
      isNormalUser = option bool false;
      isSystemUser = option bool false;
      linger = option (nullOr bool) null;
      openssh.authorizedKeys = { keys = option (listOf types.singleLineStr) [ ]; keyFiles = option (listOf path) [ ]; };
      packages = option (listOf package) [ ];
      password = secret;
      passwordFile = secret;
      shell = option (nullOr (types.either types.shellPackage (passwdEntry path))) "/run/current-system/sw/bin/nologin";
      subUidRanges = option (listOf (attrsOf int)) [ ];
      subGidRanges = option (listOf (attrsOf int)) [ ];
      uid = option (nullOr int) null;
      useDefaultShell = option bool false;
    };
    config = mkMerge [
      (mkIf config.isNormalUser {
        group = mkDefault "users";
        createHome = mkDefault true;
        home = mkDefault "/home/${config.name}";
        useDefaultShell = mkDefault true;
      })
      (mkIf config.useDefaultShell { shell = mkDefault cfg.defaultUserShell; })
    ];
  };
  group = { name, ... }: {
    options = { name = option (passwdEntry str) name; gid = option (nullOr int) null; members = option (listOf (passwdEntry str)) [ ]; };
  };

  users = filter (u: u.enable) (attrValues cfg.users);
  isAdministrator = u: u.name == "root" || lib.elem "wheel" u.extraGroups || u.group == "wheel";
  canLogIn = u: u.hashedPassword != null && !(lib.hasPrefix "!" u.hashedPassword) || u.password != null || u.hashedPasswordFile != null || keysOf u != [ ];
in
{
  options.users = {
    allowNoPasswordLogin = option bool false;
    defaultUserShell = option (types.either path types.shellPackage) pkgs.bashInteractive;
    enforceIdUniqueness = option bool true;
    groups = option (attrsOf (submodule group)) { };
    motd = option (nullOr types.lines) null;
    mutableUsers = option bool true;
    users = option (attrsOf (submodule user)) { };
  };

  config = {
    users = {
      users.root = { uid = 0; description = "System administrator"; home = "/root"; shell = mkDefault cfg.defaultUserShell; group = "root"; isSystemUser = true; };
      users.nobody = { uid = 65534; isSystemUser = true; description = "Unprivileged account"; group = "nogroup"; };
      groups = { root.gid = 0; wheel.gid = 1; keys.gid = 96; users.gid = 100; nogroup.gid = 65534; }
        // lib.genAttrs [ "audio" "video" "disk" "dialout" "input" "kvm" "lp" "systemd-journal" "tty" "render" "plugdev" "networkmanager" ] (_: { })
        // lib.optionalAttrs config.virtualisation.docker.enable { docker = { }; };
    };
    environment.systemPackages = concatMap (u: lib.optional (u.shell ? shellPath) u.shell) users;
    environment.etc = lib.mapAttrs' (name: u: lib.nameValuePair "ssh/authorized_keys.d/${u.name}" {
      mode = "0444";
      text = lib.concatMapStrings (key: "${key}\n") (keysOf u);
    }) (lib.filterAttrs (_: u: u.enable && keysOf u != [ ]) cfg.users)
    // lib.mapAttrs' (_: u: lib.nameValuePair "profiles/per-user/${u.name}" { source = pkgs.buildEnv { name = "user-environment"; paths = u.packages; }; })
      (lib.filterAttrs (_: u: u.packages != [ ]) cfg.users);

    assertions = concatMap (u: [
      {
        assertion = u.isNormalUser != u.isSystemUser;
        message = "Exactly one of users.users.${u.name}.isSystemUser and users.users.${u.name}.isNormalUser must be set.";
      }
      {
        assertion = u.group != "";
        message = "users.users.${u.name}.group is unset.";
      }
      {
        assertion = lib.all (shell: u.shell != shells.${shell} || u.ignoreShellProgramCheck || config.programs.${shell}.enable) (lib.attrNames shells);
        message = "users.users.${u.name}.shell is a shell whose module is off: set programs.<shell>.enable or users.users.${u.name}.ignoreShellProgramCheck.";
      }
    ]) users ++ [
      {
        assertion = cfg.mutableUsers || cfg.allowNoPasswordLogin || lib.any (u: isAdministrator u && canLogIn u) users;
        message = "Neither the root account nor any wheel user has a password or SSH authorized key.";
      }
      {
        assertion = let ids = filter (id: id != null) (map (u: u.uid) users); in !cfg.enforceIdUniqueness || lib.allUnique (map toString ids);
        message = "UIDs and GIDs must be unique!";
      }
    ];

    # What activation reads; its own path, so that a changed user is seen by a changed system.
    system.build.users = pkgs.writeText "users-groups.json" (builtins.toJSON {
      inherit (cfg) mutableUsers;
      users = map (u: {
        inherit (u) name uid group description home homeMode createHome isSystemUser hashedPassword hashedPasswordFile initialHashedPassword initialPassword password extraGroups expires linger;
        shell = if u.shell == null then null else utils.toShellPath u.shell;
        keys = keysOf u;
      }) users;
      groups = map (g: { inherit (g) name gid; members = lib.unique (g.members ++ map (u: u.name) (filter (u: lib.elem g.name u.extraGroups) users)); }) (attrValues cfg.groups);
    });
  };
}
