# Amazon EC2: a list that gives way to the owner's. The reason and source stand in profile.yaml.
{ lib, ... }:

{
  networking.timeServers = lib.mkDefault [ "169.254.169.123" ];
}
