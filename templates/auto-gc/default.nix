# Garbage collection on a schedule, before the disk is full, and a journal that does not grow.
{
  schedule ? "weekly",
  olderThan ? "30d",
  spread ? "45min",
  optimise ? true,
  minFreeGiB ? null,
  maxFreeGiB ? null,
  journalMaxSize ? null,
}:
{ lib, ... }:
let
  bytes = gib: gib * 1024 * 1024 * 1024;
in
{
  nix = {
    gc = {
      automatic = true;
      dates = schedule;
      options = "--delete-older-than ${olderThan}";
      randomizedDelaySec = spread;
      persistent = true;
    };
    optimise = {
      automatic = optimise;
      dates = [ schedule ];
    };
    settings =
      lib.optionalAttrs (minFreeGiB != null) { min-free = bytes minFreeGiB; }
      // lib.optionalAttrs (maxFreeGiB != null) { max-free = bytes maxFreeGiB; };
  };

  services.journald.extraConfig = lib.optionalString (
    journalMaxSize != null
  ) "SystemMaxUse=${journalMaxSize}";
}
