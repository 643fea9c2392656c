{ lib, ... }: { imports = [ ./shared.nix ]; names = lib.mkAfter [ "right" ]; }
