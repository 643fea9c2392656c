# This system, put together by firstlight. What you want to add belongs into local.nix.

{ lib, ... }:
{
  imports = [
    ./firstlight/base/configuration.nix
    ./firstlight/agent/module.nix
    ./firstlight/instance.nix
    ./firstlight/hardware.nix
    ./local.nix
  ];

  system = {
    stateVersion = lib.mkOverride 1400 "25.11";
    nixos.tags = [ "firstlight.00000000" ];
  };

  environment.etc."firstlight/generation.json".text = builtins.toJSON {
    v = 1;
    content = "0000000000000000000000000000000000000000000000000000000000000000";
    release = "firstlight.00000000";
    instance = "d924710c3f490881";
    commands = [ ];
    hooks = [ ];
    credentials = [ ];
  };
}
