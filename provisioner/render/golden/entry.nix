# This system, put together by firstlight. What you want to add belongs into local.nix.

{ ... }:
{
  imports = [
    ./firstlight/agent/module.nix
    ./firstlight/generation.nix
    ./firstlight/instance.nix
    ./firstlight/hardware.nix
    (import ./firstlight/templates/docker-host {
      users = [ "alice" ];
      openPorts = [ 8080 ];
    })
    ./firstlight/modules/web.nix
  ];

  system.stateVersion = "25.11";
}
