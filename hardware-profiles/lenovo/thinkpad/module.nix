# Lenovo ThinkPad: one of two daemons, whichever the owner or the desktop has chosen. The reason and
# source stand in profile.yaml.
{ config, lib, ... }:

{
  services.tlp.enable = lib.mkDefault (!(config.services.power-profiles-daemon.enable or false));
}
