# This system, put together by firstlight. What you want to add belongs into local.nix.

{ lib, ... }:
{
  imports = [
    ./firstlight/base/configuration.nix
    ./firstlight/agent/module.nix
    ./firstlight/generation.nix
    ./firstlight/instance.nix
    ./firstlight/hardware.nix
    ./local.nix
  ];

  system.stateVersion = lib.mkOverride 1400 "25.11";
}
