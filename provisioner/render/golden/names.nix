# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  networking = {
    hostName = "edge-17";
    domain = "example.org";
    hosts."192.0.2.7" = [
      "cache.example.org"
      "cache"
    ];
    nameservers = [ "192.0.2.53" ];
    search = [ "example.org" ];
    resolvconf.extraOptions = [ "rotate" ];
  };

  security.pki.certificates = [
    ''
      -----BEGIN CERTIFICATE-----
      MIIBszCCAVmgAwIBAgIUTest
      -----END CERTIFICATE-----
    ''
  ];

  services.firstlight.enable = true;
}
