# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  systemd.services.firstlight-agent.serviceConfig.LoadCredentialEncrypted = [
    "mqtt-password:/var/lib/firstlight/credentials/mqtt-password@0123456789abcdef"
  ];
  services.firstlight.enable = true;
}
