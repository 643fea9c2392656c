# A host for containers with Podman: its command and socket as Docker has them, containers that are
# services, and a clean-up on a schedule.
{
  dockerCompat ? true,
  dockerSocket ? false,
  users ? [ ],
  compose ? true,
  dns ? true,
  prune ? true,
  pruneSchedule ? "weekly",
  containers ? { },
  openPorts ? [ ],
}:
{ lib, pkgs, ... }:
{
  virtualisation = {
    podman = {
      enable = true;
      inherit dockerCompat;
      dockerSocket.enable = dockerSocket;
      defaultNetwork.settings.dns_enabled = dns;
      autoPrune = {
        enable = prune;
        dates = pruneSchedule;
      };
    };
    oci-containers = {
      backend = "podman";
      containers = lib.mapAttrs (
        _:
        {
          image,
          command ? [ ],
          environment ? { },
          environmentFiles ? [ ],
          ports ? [ ],
          volumes ? [ ],
          dependsOn ? [ ],
          extraOptions ? [ ],
        }:
        {
          inherit
            image
            environment
            environmentFiles
            ports
            volumes
            dependsOn
            extraOptions
            ;
          cmd = command;
        }
      ) containers;
    };
  };

  users.groups.podman.members = users;

  environment.systemPackages = lib.optional compose pkgs.podman-compose;

  networking.firewall.allowedTCPPorts = openPorts;
}
