# The image's own configuration: what its owner decided before it met any cloud.
{ lib, pkgs, ... }:
let
  pins = builtins.fromJSON (builtins.readFile ./pins.json);
  loader = pins.loader or "grub";
  isUefi = loader == "systemd-boot";
in
{
  imports = [
    "${pins.firstlight}/lib/firstlight/nixos/module.nix"
    ./network.nix
    ./fleet.nix
  ];

  # Without a kernel of its own it is a container, whose boot loader plays GRUB.
  boot.loader =
    {
      grub.grub.device = "/dev/nvme0n1";
      systemd-boot.systemd-boot.enable = true;
      extlinux = {
        grub.enable = false;
        generic-extlinux-compatible.enable = true;
      };
    }
    .${loader};
  # NixOS itself has it wherever a kernel may boot another one (boot.kexec.enable).
  environment.systemPackages = lib.optional (loader == "extlinux") pkgs.kexec-tools;
  boot.kernelParams = lib.optionals (pins ? kernel) [
    "console=ttyS0"
    "root=/dev/nvme0n1p2"
    "rw"
    "quiet"
  ];
  standIn.kernelImage = if pins ? kernel then builtins.storePath pins.kernel else null;
  fileSystems = lib.optionalAttrs (pins ? kernel) {
    "/boot" = {
      device = "/dev/nvme0n1p1";
      fsType = if isUefi then "vfat" else "ext4";
    };
  };
  # No driver of the machine it meets is needed to find its root, so none is a reason to restart.
  boot.initrd = {
    availableKernelModules = lib.mkForce [ ];
    kernelModules = lib.mkForce [ ];
  };
  # In a container the sandbox of the root side would see the boot id of the host, which stays.
  systemd.services.firstlight-system.serviceConfig.BindReadOnlyPaths = [
    "-/run/boot-id:/proc/sys/kernel/random/boot_id"
  ];
  networking = {
    hostName = "";
    useDHCP = false;
  };
  services.openssh.enable = true;
  systemd.services.console-getty.enable = false;

  services.firstlight = {
    enable = true;
    package = builtins.storePath pins.firstlight;
    settings.datasources = [
      "credentials"
      "NoCloud"
      "DigitalOcean"
      "Ec2"
    ];
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
