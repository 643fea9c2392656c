# What sets the network up on an image for laptops.
{
  networking.networkmanager.enable = true;
}
