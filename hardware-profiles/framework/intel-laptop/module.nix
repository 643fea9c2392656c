# Framework laptops with an Intel processor: a choice that looks at what the desktop has chosen. The
# reason and source stand in profile.yaml.
{ config, lib, ... }:

{
  services.tlp.enable = lib.mkDefault (!config.services.power-profiles-daemon.enable);
}
