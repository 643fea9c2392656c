# The fleet that the image is of: whoever these keys are of.
{
  services.firstlight.settings.fleet.root = "/etc/fleet/root.json";
}
