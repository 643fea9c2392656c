# networking.networkmanager: the profiles that a unit writes for the distribution's NetworkManager.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatStrings mapAttrsToList mkIf mkOption types;
  inherit (types) attrsOf bool listOf nullOr oneOf path str submodule;
  option = type: default: mkOption { inherit type default; };
  cfg = config.networking.networkmanager;

  section = attrsOf (nullOr (oneOf [ bool types.int types.float str ]));
  profile = submodule {
    freeformType = attrsOf section;
    options.connection = mkOption {
      type = submodule {
        freeformType = section;
        options = { id = mkOption { type = str; }; type = mkOption { type = str; }; };
      };
    };
  };

  directory = "/run/NetworkManager/system-connections";
  write = name: sections:
    let file = pkgs.writeText name (lib.generators.toINI { } sections);
    in "envsubst < ${file} > ${lib.escapeShellArg "${directory}/${name}.nmconnection"}\n";
in
{
  options.networking.networkmanager = {
    enable = option bool false;
    unmanaged = option (listOf str) [ ];
    ensureProfiles = {
      environmentFiles = option (listOf path) [ ];
      profiles = option (attrsOf profile) { };
    };
  };
  config = mkIf cfg.enable {
    assertions = [{
      assertion = config.networking.wireless.enable -> cfg.unmanaged != [ ];
      message = "networking.networkmanager and networking.wireless take the same interfaces: mark some as unmanaged";
    }];
    networking.useDHCP = false;
    # The daemon is the distribution's.
    systemd.services.NetworkManager = {
      overrideStrategy = "asDropin";
      wantedBy = [ "multi-user.target" ];
    };
    systemd.services.NetworkManager-ensure-profiles = mkIf (cfg.ensureProfiles.profiles != { }) {
      description = "Ensure that NetworkManager declarative profiles are created";
      wantedBy = [ "multi-user.target" ];
      before = [ "network-online.target" ];
      after = [ "NetworkManager.service" ];
      path = [ pkgs.envsubst pkgs.networkmanager ];
      script = ''
        mkdir -p ${directory}
        ${concatStrings (mapAttrsToList write cfg.ensureProfiles.profiles)}
        nmcli connection reload
      '';
      serviceConfig = {
        EnvironmentFile = cfg.ensureProfiles.environmentFiles;
        UMask = "0177";
        Type = "oneshot";
      };
    };
  };
}
