# Google Compute Engine: a list that gives way to the owner's. The reason and source stand in
# profile.yaml.
{ lib, ... }:

{
  networking.timeServers = lib.mkDefault [ "metadata.google.internal" ];
}
