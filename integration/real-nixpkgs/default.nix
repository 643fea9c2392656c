# A configuration on a real nixpkgs, of whatever release, with whatever lib: `config` and `options`.
{
  nixpkgs,
  configuration,
  lib ? import (nixpkgs + "/lib"),
}:
let
  evaluate = import (nixpkgs + "/nixos/lib/eval-config.nix");
  # A lib that is newer than the modules has a few names no more, and systems that their packages do not know.
  whole = lib.extend (
    final: prev: {
      replaceChars = prev.replaceChars or prev.replaceStrings;
      inherit (import (nixpkgs + "/lib")) systems;
      mapAttrsFlatten = prev.mapAttrsFlatten or prev.mapAttrsToList;
    }
  );
  system =
    modules:
    evaluate {
      system = "x86_64-linux";
      lib = whole;
      modules = modules ++ [
        # The manual is read by tools that want the tree's own lib.
        {
          documentation = {
            enable = false;
            nixos.enable = false;
          };
        }
      ];
    };
in
system [
  configuration
  (import ./later.nix { inherit (system [ ]) options; })
]
