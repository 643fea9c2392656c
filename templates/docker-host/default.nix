# A host for containers with Docker: daemon, who may use it, logs that do not fill the disk, and a
# clean-up on a schedule.
{
  users ? [ ],
  dataRoot ? null,
  storageDriver ? null,
  liveRestore ? true,
  registryMirrors ? [ ],
  insecureRegistries ? [ ],
  logMaxSize ? "10m",
  logMaxFiles ? 3,
  prune ? true,
  pruneSchedule ? "weekly",
  compose ? true,
  openPorts ? [ ],
}:
{ lib, pkgs, ... }:
{
  virtualisation.docker = {
    enable = true;
    inherit liveRestore storageDriver;
    autoPrune = {
      enable = prune;
      dates = pruneSchedule;
    };
    daemon.settings = {
      log-driver = "json-file";
      log-opts = {
        max-size = logMaxSize;
        max-file = toString logMaxFiles;
      };
    }
    // lib.optionalAttrs (dataRoot != null) { data-root = dataRoot; }
    // lib.optionalAttrs (registryMirrors != [ ]) { registry-mirrors = registryMirrors; }
    // lib.optionalAttrs (insecureRegistries != [ ]) { insecure-registries = insecureRegistries; };
  };

  users.groups.docker.members = users;

  environment.systemPackages = lib.optional compose pkgs.docker-compose;

  networking.firewall.allowedTCPPorts = openPorts;
}
