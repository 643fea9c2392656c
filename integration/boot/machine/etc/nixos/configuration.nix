# The image's own configuration: what its owner decided before it met any cloud.
let
  pins = builtins.fromJSON (builtins.readFile ./pins.json);
in
{
  imports = [ "${pins.firstlight}/lib/firstlight/nixos/module.nix" ];

  boot.isContainer = true;
  networking = {
    hostName = "";
    useDHCP = false;
    useNetworkd = true;
  };
  services.openssh.enable = true;
  systemd.services.console-getty.enable = false;

  services.firstlight = {
    enable = true;
    package = builtins.storePath pins.firstlight;
    settings.datasources = [ "NoCloud" ];
    pins = {
      nixpkgs.storePath = pins.nixpkgs;
      firstlight.storePath = pins.firstlight;
    };
  };

  # What nix.conf says before there is a system.
  nix.settings = {
    build-users-group = "";
    experimental-features = [ "nix-command" ];
    sandbox = false;
    substituters = [ ];
  };

  # As NixOS itself has it; the distribution's own lies in /usr.
  systemd.sockets.nix-daemon = {
    wantedBy = [ "sockets.target" ];
    socketConfig = {
      ListenStream = "/nix/var/nix/daemon-socket/socket";
      SocketMode = "0666";
    };
  };
  systemd.services.nix-daemon = {
    requires = [ "nix-daemon.socket" ];
    serviceConfig.ExecStart = "/usr/bin/nix-daemon --daemon";
  };
  system.stateVersion = "25.11";
}
