# What sets the network up on this image.
{
  networking.useNetworkd = true;
  # As an image for clouds has it: a card that nothing is said of gets its addresses from its network.
  systemd.network.networks."90-leased" = {
    matchConfig.Name = "host6";
    networkConfig.DHCP = "yes";
  };
}
