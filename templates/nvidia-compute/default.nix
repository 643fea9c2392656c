# The driver of NVIDIA for computing.
{
  acceptLicense ? false,
  driver ? null,
  openModule ? null,
  persistence ? true,
  containers ? true,
  cuda ? false,
}:
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
lib.mkMerge [
  {
    assertions = [
      {
        assertion = acceptLicense;
        message = "nvidia-compute: the driver is not free; read its licence and give acceptLicense: true";
      }
    ];

    services.xserver.videoDrivers = [ "nvidia" ];

    hardware.nvidia = {
      modesetting.enable = true;
      nvidiaSettings = false;
      nvidiaPersistenced = persistence;
    }
    // lib.optionalAttrs (driver != null) {
      package = config.boot.kernelPackages.nvidiaPackages.${driver};
    }
    // lib.optionalAttrs (openModule != null) { open = openModule; };

    hardware.nvidia-container-toolkit.enable = containers;

    environment.systemPackages = lib.optional cuda pkgs.cudaPackages.cudatoolkit;
  }
  (
    if options.hardware ? graphics then
      { hardware.graphics.enable = true; }
    else
      { hardware.opengl.enable = true; }
  )
]
