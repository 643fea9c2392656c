{ imports = [ ./shared.nix ]; names = [ "left" ]; }
