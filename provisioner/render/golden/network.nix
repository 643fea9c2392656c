# The network of this instance.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  networking = {
    useNetworkd = true;
    useDHCP = false;
  };

  systemd.network.networks."10-lan" = {
    matchConfig = {
      MACAddress = "52:54:00:12:34:56";
      Driver = "virtio_net";
      Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
    };
    networkConfig = {
      DHCP = "ipv4";
      IPv6AcceptRA = true;
      Address = [ "192.0.2.10/24" ];
      DNS = [ "192.0.2.53" ];
      Domains = "example.org";
    };
    linkConfig = {
      MTUBytes = "1500";
      RequiredForOnline = true;
    };
    dhcpV4Config.RouteMetric = 100;
    ipv6AcceptRAConfig.RouteMetric = 100;
    routes = [
      {
        Destination = "198.51.100.0/24";
        Gateway = "192.0.2.1";
        Metric = 100;
        GatewayOnLink = false;
      }
    ];
  };

  systemd.network.links."10-lan" = {
    matchConfig = {
      MACAddress = "52:54:00:12:34:56";
      Driver = "virtio_net";
      OriginalName = "enp*";
      Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
    };
    linkConfig = {
      Name = "lan0";
      WakeOnLan = "magic";
      ReceiveChecksumOffload = true;
      TransmitChecksumOffload = true;
      TCPSegmentationOffload = true;
      TCP6SegmentationOffload = true;
      GenericSegmentationOffload = true;
      GenericReceiveOffload = true;
      LargeReceiveOffload = false;
    };
  };
}
