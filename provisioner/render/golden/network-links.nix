# The network of this instance.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  networking = {
    useNetworkd = true;
    useDHCP = false;
    wireless = {
      enable = true;
      extraConfig = "country=CH";
      interfaces = [ "wlan0" ];
      secretsFile = "/run/firstlight/network/_wireless";
      networks = {
        guests = {
          authProtocols = [ "NONE" ];
          hidden = true;
          priority = 5;
          extraConfig = "bssid=02:00:00:00:00:02";
        };
        home = {
          pskRaw = "ext:wifi-home";
          authProtocols = [ "SAE" ];
          hidden = true;
          priority = 10;
          extraConfig = "bssid=02:00:00:00:00:01";
        };
      };
    };
  };

  systemd.network.netdevs = {
    "10-dummy0" = {
      netdevConfig = {
        Name = "dummy0";
        Kind = "dummy";
      };
    };
    "10-veth0" = {
      netdevConfig = {
        Name = "veth0";
        Kind = "veth";
      };
      peerConfig.Name = "veth1";
    };
    "10-bond0" = {
      netdevConfig = {
        Name = "bond0";
        Kind = "bond";
      };
      bondConfig = {
        Mode = "802.3ad";
        LACPTransmitRate = "fast";
        MIIMonitorSec = "100ms";
        MinLinks = 1;
        TransmitHashPolicy = "layer3+4";
        AdSelect = "bandwidth";
        AdActorSystem = "02:00:00:00:00:01";
        AdActorSystemPriority = 1;
        AdUserPortKey = 1;
        AllSlavesActive = false;
        ARPIntervalSec = "1s";
        ARPIPTargets = "192.0.2.1";
        ARPValidate = "all";
        ARPAllTargets = "any";
        UpDelaySec = "200ms";
        DownDelaySec = "200ms";
        FailOverMACPolicy = "active";
        GratuitousARP = 1;
        PacketsPerSlave = 1;
        PrimaryReselectPolicy = "better";
        ResendIGMP = 1;
        LearnPacketIntervalSec = "1s";
        DynamicTransmitLoadBalancing = true;
      };
    };
    "10-br0" = {
      netdevConfig = {
        Name = "br0";
        Kind = "bridge";
      };
      bridgeConfig = {
        STP = false;
        Priority = 4096;
        AgeingTimeSec = 300;
        ForwardDelaySec = 4;
        HelloTimeSec = 2;
        MaxAgeSec = 12;
        VLANFiltering = true;
      };
    };
    "10-lan0.99" = {
      netdevConfig = {
        Name = "lan0.99";
        Kind = "vlan";
      };
      vlanConfig.Id = 99;
    };
    "10-vrf0" = {
      netdevConfig = {
        Name = "vrf0";
        Kind = "vrf";
      };
      vrfConfig.Table = 100;
    };
    "10-gre0" = {
      netdevConfig = {
        Name = "gre0";
        Kind = "gre";
      };
      tunnelConfig = {
        Independent = true;
        Local = "192.0.2.10";
        Remote = "198.51.100.1";
        TTL = 64;
        InputKey = "1234";
        OutputKey = "5678";
      };
    };
    "10-vx0" = {
      netdevConfig = {
        Name = "vx0";
        Kind = "vxlan";
      };
      vxlanConfig = {
        VNI = 7;
        DestinationPort = 4789;
        MacLearning = false;
      };
    };
    "10-vx1" = {
      netdevConfig = {
        Name = "vx1";
        Kind = "vxlan";
      };
      vxlanConfig = {
        VNI = 8;
        Group = "239.0.0.1";
      };
    };
    "10-wg0" = {
      netdevConfig = {
        Name = "wg0";
        Kind = "wireguard";
      };
      wireguardConfig = {
        PrivateKeyFile = "/run/firstlight/network/_network-wg0-private-key";
        ListenPort = 51820;
        FirewallMark = 7;
      };
      wireguardPeers = [
        {
          PublicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
          PresharedKeyFile = "/run/firstlight/network/_network-wg0-peer-0";
          Endpoint = "vpn.example.org:51820";
          AllowedIPs = [ "203.0.113.0/24" ];
          PersistentKeepalive = 25;
        }
      ];
    };
  };

  systemd.network.networks = {
    "10-wlan0" = {
      matchConfig = {
        MACAddress = "52:54:00:12:34:58";
        Driver = "ath*";
        Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
      };
      networkConfig.DHCP = "ipv4";
    };
    "10-dummy0" = {
      matchConfig.Name = "dummy0";
      networkConfig = {
        DHCP = "no";
        Address = [ "198.51.100.7/32" ];
      };
    };
    "10-veth0" = {
      matchConfig.Name = "veth0";
      networkConfig.DHCP = "no";
    };
    "10-veth1" = {
      matchConfig.Name = "veth1";
      networkConfig.DHCP = "no";
    };
    "10-bond0" = {
      matchConfig.Name = "bond0";
      networkConfig.DHCP = "ipv4";
    };
    "10-br0" = {
      matchConfig.Name = "br0";
      networkConfig.DHCP = "no";
    };
    "10-lan0.99" = {
      matchConfig.Name = "lan0.99";
      networkConfig = {
        DHCP = "no";
        Address = [ "203.0.113.7/24" ];
      };
    };
    "10-vrf0" = {
      matchConfig.Name = "vrf0";
      networkConfig.DHCP = "no";
    };
    "10-gre0" = {
      matchConfig.Name = "gre0";
      networkConfig.DHCP = "no";
    };
    "10-vx0" = {
      matchConfig.Name = "vx0";
      networkConfig.DHCP = "no";
    };
    "10-vx1" = {
      matchConfig.Name = "vx1";
      networkConfig.DHCP = "no";
    };
    "10-wg0" = {
      matchConfig.Name = "wg0";
      networkConfig = {
        DHCP = "no";
        Address = [ "203.0.113.1/24" ];
      };
    };
    "10-eth1" = {
      matchConfig.Name = "eth1";
      networkConfig = {
        DHCP = "no";
        Bond = "bond0";
        PrimarySlave = true;
      };
    };
    "10-eth2" = {
      matchConfig.Name = "eth2";
      networkConfig = {
        DHCP = "no";
        Bond = "bond0";
      };
    };
    "10-spare" = {
      matchConfig.Name = "spare";
      networkConfig = {
        DHCP = "no";
        Bridge = "br0";
      };
    };
    "10-eth3" = {
      matchConfig.Name = "eth3";
      networkConfig = {
        DHCP = "no";
        Bridge = "br0";
      };
      bridgeConfig = {
        Cost = 100;
        Priority = 28;
      };
    };
    "10-wan" = {
      matchConfig.Name = "wan";
      networkConfig = {
        DHCP = "no";
        VRF = "vrf0";
      };
    };
    "10-lan" = {
      matchConfig.Name = "lan";
      networkConfig = {
        DHCP = "no";
        VLAN = [ "lan0.99" ];
        VXLAN = [
          "vx0"
          "vx1"
        ];
      };
    };
  };

  systemd.network.links."10-wlan0" = {
    matchConfig = {
      MACAddress = "52:54:00:12:34:58";
      Driver = "ath*";
      OriginalName = "wl*";
      Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
    };
    linkConfig.Name = "wlan0";
  };
}
