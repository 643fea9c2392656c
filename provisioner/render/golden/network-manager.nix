# The network of this instance.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  networking = {
    networkmanager = {
      enable = true;
      ensureProfiles = {
        environmentFiles = [ "/run/firstlight/network/_network-manager" ];
        profiles = {
          firstlight-bond0 = {
            connection = {
              id = "firstlight-bond0";
              uuid = "2f7a3d62-6597-5388-8486-186064c9ddb0";
              type = "bond";
              interface-name = "bond0";
            };
            bond = {
              mode = "802.3ad";
              lacp_rate = "fast";
              miimon = 100;
              min_links = 1;
              xmit_hash_policy = "layer3+4";
              ad_select = "bandwidth";
              ad_actor_system = "02:00:00:00:00:01";
              ad_actor_sys_prio = 1;
              ad_user_port_key = 1;
              all_slaves_active = 1;
              updelay = 1000;
              downdelay = 200;
              resend_igmp = 2;
            };
            ipv4.method = "auto";
            ipv6.method = "auto";
          };
          firstlight-bond1 = {
            connection = {
              id = "firstlight-bond1";
              uuid = "6e50b530-93b1-5e54-b8ef-13fa80ba95f1";
              type = "bond";
              interface-name = "bond1";
            };
            bond = {
              mode = "active-backup";
              arp_interval = 1000;
              arp_ip_target = "192.0.2.1,192.0.2.2";
              arp_validate = "all";
              arp_all_targets = "all";
              fail_over_mac = "active";
              num_grat_arp = 3;
              primary = "eth4";
              primary_reselect = "better";
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-bond2 = {
            connection = {
              id = "firstlight-bond2";
              uuid = "2717f78b-5383-5816-9c3b-75d4eb9cb1d4";
              type = "bond";
              interface-name = "bond2";
            };
            bond = {
              mode = "balance-tlb";
              lp_interval = 2;
              tlb_dynamic_lb = 0;
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-bond3 = {
            connection = {
              id = "firstlight-bond3";
              uuid = "e917f207-52d5-5477-9761-9f66ca335422";
              type = "bond";
              interface-name = "bond3";
            };
            bond = {
              mode = "balance-rr";
              packets_per_slave = 3;
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-br0 = {
            connection = {
              id = "firstlight-br0";
              uuid = "bb1764b0-c51b-5d23-9742-247b1fec169c";
              type = "bridge";
              interface-name = "br0";
            };
            bridge = {
              stp = true;
              priority = 4096;
              ageing-time = 200;
              forward-delay = 4;
              hello-time = 1;
              max-age = 12;
              vlan-filtering = true;
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-card = {
            connection = {
              id = "firstlight-card";
              uuid = "b3958e5d-a054-5b64-8529-51ce31e4c2dd";
              type = "ethernet";
            };
            match.interface-name = "card0;enp*;";
            ipv4.method = "disabled";
            ipv6.method = "auto";
          };
          firstlight-dock = {
            connection = {
              id = "firstlight-dock";
              uuid = "d69b5a72-241b-5ff7-b96f-2fdfe1a98d3f";
              type = "ethernet";
              multi-connect = 3;
              autoconnect = false;
            };
            match.driver = "r8152;ax88179_178a;";
            ipv4 = {
              method = "auto";
              route-metric = 50;
            };
            ipv6.method = "auto";
          };
          firstlight-dummy0 = {
            connection = {
              id = "firstlight-dummy0";
              uuid = "d6ca9ec1-27da-5407-8197-e308bc8a4e99";
              type = "dummy";
              interface-name = "dummy0";
            };
            ipv4 = {
              method = "manual";
              address1 = "198.51.100.7/32";
            };
            ipv6.method = "auto";
          };
          firstlight-eth1 = {
            connection = {
              id = "firstlight-eth1";
              uuid = "0656a7e9-5ed3-5c59-9e48-1db222ef7f52";
              type = "ethernet";
              interface-name = "eth1";
              master = "bond0";
              slave-type = "bond";
            };
          };
          firstlight-eth2 = {
            connection = {
              id = "firstlight-eth2";
              uuid = "1334694d-6464-5899-aec0-82d189e79bc4";
              type = "ethernet";
              interface-name = "eth2";
              master = "bond0";
              slave-type = "bond";
            };
          };
          firstlight-eth3 = {
            connection = {
              id = "firstlight-eth3";
              uuid = "bddf07ff-4926-591b-9649-79464ebb980f";
              type = "ethernet";
              interface-name = "eth3";
              master = "br0";
              slave-type = "bridge";
            };
            bridge-port = {
              path-cost = 50;
              priority = 28;
            };
          };
          firstlight-eth4 = {
            connection = {
              id = "firstlight-eth4";
              uuid = "446a4e1f-95e8-5cff-bcdf-3b11bd8665aa";
              type = "ethernet";
              interface-name = "eth4";
              master = "bond1";
              slave-type = "bond";
            };
          };
          firstlight-eth5 = {
            connection = {
              id = "firstlight-eth5";
              uuid = "0815748f-f96b-5290-b9ef-c089c3b4abf7";
              type = "ethernet";
              interface-name = "eth5";
              master = "br0";
              slave-type = "bridge";
            };
            bridge-port.hairpin-mode = true;
          };
          firstlight-eth6 = {
            connection = {
              id = "firstlight-eth6";
              uuid = "da482fb7-d99c-56eb-b291-ed2640aa74e0";
              type = "ethernet";
              interface-name = "eth6";
              master = "vrf0";
              slave-type = "vrf";
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-gre0 = {
            connection = {
              id = "firstlight-gre0";
              uuid = "a4bfa72f-224e-58c9-85b4-34f25d16c4ce";
              type = "ip-tunnel";
              interface-name = "gre0";
            };
            ip-tunnel = {
              mode = 2;
              local = "192.0.2.10";
              remote = "198.51.100.1";
              ttl = 64;
              input-key = "1234";
              output-key = "7";
              mtu = 1400;
            };
            ipv4 = {
              method = "manual";
              address1 = "203.0.113.9/30";
            };
            ipv6.method = "disabled";
          };
          firstlight-ib0 = {
            connection = {
              id = "firstlight-ib0";
              uuid = "c83af253-b7bd-5f88-aa33-9f1d44731fa1";
              type = "infiniband";
            };
            infiniband = {
              mac-address = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0f:a1:51";
              transport-mode = "datagram";
              mtu = 2000;
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-lan = {
            connection = {
              id = "firstlight-lan";
              uuid = "c9da82cb-d904-5db5-a8f3-5c1f4eb9281c";
              type = "ethernet";
            };
            ethernet = {
              mac-address = "52:54:00:12:34:56";
              cloned-mac-address = "52:54:00:12:34:57";
              mtu = 1500;
            };
            ipv4 = {
              method = "auto";
              link-local = 3;
              dhcp-client-id = "duid";
              ignore-auto-dns = true;
              ignore-auto-routes = true;
              route-metric = 100;
              dhcp-send-hostname = false;
              dhcp-hostname = "edge-17";
            };
            ipv6 = {
              method = "auto";
              ip6-privacy = 2;
              addr-gen-mode = "eui64";
              token = "::1:2:3:4";
              mtu = 1400;
              route-table = 100;
              ignore-auto-dns = true;
              ignore-auto-routes = true;
              route-metric = 200;
              dhcp-send-hostname = false;
              dhcp-hostname = "edge-17";
            };
            hostname.from-dhcp = 1;
          };
          "firstlight-lan0.99" = {
            connection = {
              id = "firstlight-lan0.99";
              uuid = "c50eef15-17c3-585c-8477-356404e58952";
              type = "vlan";
              interface-name = "lan0.99";
            };
            vlan = {
              id = 99;
              parent = "c9da82cb-d904-5db5-a8f3-5c1f4eb9281c";
            };
            ipv4 = {
              method = "manual";
              address1 = "203.0.113.7/24";
            };
            ipv6.method = "auto";
          };
          firstlight-office = {
            connection = {
              id = "firstlight-office";
              uuid = "d2bb6c1e-ef69-5709-8fef-cbc06d724b25";
              type = "ethernet";
              interface-name = "office";
            };
            ipv4 = {
              method = "manual";
              address1 = "192.0.2.10/24";
              route1 = "0.0.0.0/0,192.0.2.1,100";
              route1_options = "onlink=true";
              route2 = "198.51.100.0/24,192.0.2.1";
              route2_options = "scope=253,table=100,src=192.0.2.10,mtu=1400,advmss=1360,initcwnd=10,initrwnd=20";
              route3 = "203.0.113.0/24,0.0.0.0,5";
              route3_options = "type=blackhole";
              routing-rule1 = "priority 1000 from 192.0.2.0/24 to 198.51.100.0/24 tos 0x08 fwmark 0x7 table 100";
              routing-rule2 = "priority 32001 from 0.0.0.0/0 table 101";
              dns = "192.0.2.53;";
              dns-search = "example.org;~corp.example.org;";
            };
            ipv6 = {
              method = "manual";
              address1 = "2001:db8::10/64";
              route1 = "::/0,2001:db8::1";
              routing-rule1 = "priority 32001 from ::/0 table 101";
              dns = "2001:db8::53#dns.example.org;";
            };
          };
          firstlight-six = {
            connection = {
              id = "firstlight-six";
              uuid = "3cc320cb-be4d-5ccb-b8bf-54d443b9acbc";
              type = "ethernet";
              interface-name = "six";
            };
            ipv4.method = "disabled";
            ipv6 = {
              method = "manual";
              address1 = "2001:db8:6::1/64";
              dns-search = "six.example.org;";
            };
          };
          firstlight-veth0 = {
            connection = {
              id = "firstlight-veth0";
              uuid = "a0634f04-e7e1-5db4-afcf-c469e35e6ea9";
              type = "veth";
              interface-name = "veth0";
            };
            veth.peer = "veth1";
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-vrf0 = {
            connection = {
              id = "firstlight-vrf0";
              uuid = "3769a8a1-4e9b-5981-88d2-eae65c722df9";
              type = "vrf";
              interface-name = "vrf0";
            };
            vrf.table = 100;
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-vx0 = {
            connection = {
              id = "firstlight-vx0";
              uuid = "6f4f3e0b-37b3-5ce0-9903-b1c5ab716a6a";
              type = "vxlan";
              interface-name = "vx0";
            };
            vxlan = {
              id = 7;
              parent = "office";
              local = "192.0.2.10";
              remote = "198.51.100.2";
              destination-port = 4789;
              ttl = 8;
              learning = false;
            };
            ipv4.method = "disabled";
            ipv6.method = "ignore";
          };
          firstlight-wg0 = {
            connection = {
              id = "firstlight-wg0";
              uuid = "32fc1673-032c-5d5a-856b-303d9115687a";
              type = "wireguard";
              interface-name = "wg0";
            };
            wireguard = {
              private-key = "\${FIRSTLIGHT_NETWORK_WG0_PRIVATE_KEY_9c14d6f3}";
              listen-port = 51820;
              fwmark = 7;
              peer-routes = false;
              ip4-auto-default-route = 0;
              ip6-auto-default-route = 0;
              mtu = 1420;
            };
            "wireguard-peer.xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=" = {
              preshared-key = "\${FIRSTLIGHT_NETWORK_WG0_PEER_0_9abb720a}";
              preshared-key-flags = 0;
              endpoint = "vpn.example.org:51820";
              allowed-ips = "203.0.113.0/24;2001:db8:7::/64;";
              persistent-keepalive = 25;
            };
            ipv4 = {
              method = "manual";
              address1 = "203.0.113.1/24";
            };
            ipv6.method = "disabled";
          };
          "firstlight-wlan0+HOME+3fd9f5e7" = {
            connection = {
              id = "firstlight-wlan0+HOME+3fd9f5e7";
              uuid = "9c38a87e-7336-5703-9ed5-0520ad780ad4";
              type = "wifi";
              multi-connect = 3;
            };
            match.interface-name = "wl*;";
            wifi = {
              ssid = "36;72;79;77;69;";
              mode = "infrastructure";
              bssid = "02:00:00:00:00:01";
            };
            ipv4.method = "auto";
            ipv6.method = "auto";
          };
          "firstlight-wlan0+caf-7+20f30537" = {
            connection = {
              id = "firstlight-wlan0+caf-7+20f30537";
              uuid = "67f2dcfa-50dd-56a5-9821-f9e4e5658922";
              type = "wifi";
              multi-connect = 3;
            };
            match.interface-name = "wl*;";
            wifi = {
              ssid = "99;97;102;195;169;32;55;";
              mode = "infrastructure";
              hidden = true;
            };
            wifi-security = {
              key-mgmt = "sae";
              psk = "\${FIRSTLIGHT_WIFI_CAFE_5da18752}";
            };
            ipv4.method = "auto";
            ipv6.method = "auto";
          };
          "firstlight-wlan0+home" = {
            connection = {
              id = "firstlight-wlan0+home";
              uuid = "798efcde-d326-5b02-acb9-99a9ed65d366";
              type = "wifi";
              multi-connect = 3;
              autoconnect-priority = 10;
            };
            match.interface-name = "wl*;";
            wifi = {
              ssid = "home";
              mode = "infrastructure";
            };
            wifi-security = {
              key-mgmt = "wpa-psk";
              psk = "\${FIRSTLIGHT_WIFI_HOME_4a5ff3cc}";
            };
            ipv4.method = "auto";
            ipv6.method = "auto";
          };
          "firstlight-wlan1+guests" = {
            connection = {
              id = "firstlight-wlan1+guests";
              uuid = "6495bc24-0ec1-53c4-bc76-b0cb7e5ed092";
              type = "wifi";
            };
            wifi = {
              ssid = "guests";
              mode = "infrastructure";
              mac-address = "52:54:00:12:34:58";
              cloned-mac-address = "52:54:00:12:34:59";
              mtu = 1400;
            };
            ipv4.method = "disabled";
            ipv6.method = "auto";
          };
        };
      };
    };
    useDHCP = false;
  };

  systemd.services = {
    firstlight-network-manager = {
      description = "Take the profiles of NetworkManager away with their generation";
      wantedBy = [ "multi-user.target" ];
      after = [ "NetworkManager.service" ];
      before = [ "NetworkManager-ensure-profiles.service" ];
      path = [
        pkgs.networkmanager
        pkgs.iproute2
      ];
      stopIfChanged = false;
      preStop = ''
        if systemctl list-jobs --plain --no-legend firstlight-network-manager.service | grep -q ' restart '; then exit 0; fi
        shopt -s nullglob
        lines=$(cat /run/NetworkManager/system-connections/firstlight-*.nmconnection /run/firstlight/network-manager/* /dev/null)
        uuids=$(sed -n 's/^uuid=//p' <<<"$lines")
        rm -f -- /run/NetworkManager/system-connections/firstlight-*.nmconnection /run/firstlight/network/_network-manager
        rm -rf -- /run/firstlight/network-manager
        if [ -z "$uuids" ] || [ "$(systemctl is-system-running)" = stopping ]; then exit 0; fi

        state() { systemctl is-active NetworkManager.service || true; }
        has_ended() { [ "$(state)" != deactivating ]; }
        is_free() { ! nmcli -g UUID connection show --active | grep -qxF -e "$uuids"; }

        # Asks again and again, for ten seconds at most.
        wait_until() {
          local tries
          for tries in {1..50}; do
            if "$@"; then return; fi
            sleep 0.2
          done
        }

        # What it has set up and left behind. It writes down which card has which profile, by the card's number.
        clear_cards() {
          local file uuid card
          for file in /run/NetworkManager/devices/*; do
            uuid=$(sed -n 's/^connection-uuid=//p' "$file")
            if [ -z "$uuid" ] || ! grep -qxF -e "$uuid" <<<"$uuids"; then continue; fi
            card=$(ip -o link show | sed -n "s/^''${file##*/}: \([^:@]*\).*/\1/p")
            if [ -z "$card" ]; then continue; fi
            if grep -qx 'nm-owned=true' "$file"; then
              ip link delete dev "$card" || true
            else
              ip address flush dev "$card" || true
              ip link set dev "$card" down || true
            fi
          done
        }

        # What is on no card: rules, which have the words of ip-rule(8), and routes that lead nowhere.
        clear_tables() {
          local line family= to= type table
          while IFS= read -r line; do
            case $line in
              '[ipv4]') family=-4 ;;
              '[ipv6]') family=-6 ;;
              routing-rule*) ip $family rule delete ''${line#*=} || true ;;
              route*_options=*type=*)
                line=,''${line#*=},
                type=''${line#*,type=}
                table=main
                case $line in *,table=*) table=''${line#*,table=} ;; esac
                ip $family route delete "''${type%%,*}" "$to" table "''${table%%,*}" || true
                ;;
              route*=*) to=''${line#*=} to=''${to%%,*} ;;
            esac
          done <<<"$lines"
        }

        wait_until has_ended
        if [ "$(state)" = active ]; then
          nmcli connection reload || true
          wait_until is_free
          systemctl --no-block --job-mode=fail try-restart NetworkManager.service || true
        else
          clear_cards
          clear_tables
        fi
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutStopSec = "1min";
      };
    };
    NetworkManager-ensure-profiles = {
      wants = [ "firstlight-network-manager.service" ];
      after = [ "NetworkManager.service" ];
      path = [ pkgs.networkmanager ];
      preStart = lib.mkBefore ''
        install -d -m 0700 /run/firstlight/network-manager
        rm -f -- /run/firstlight/network-manager/*
        for file in /run/NetworkManager/system-connections/firstlight-*.nmconnection; do
          if [ -e "$file" ]; then mv -- "$file" /run/firstlight/network-manager/; fi
        done
      '';
      postStart = ''
        wait=0
        if systemctl -q is-active multi-user.target; then wait=20; fi
        for file in /run/NetworkManager/system-connections/firstlight-*.nmconnection; do
          old=/run/firstlight/network-manager/''${file##*/}
          if [ -e "$old" ] && [ "$(cat "$file")" = "$(cat "$old")" ]; then continue; fi
          uuid=$(sed -n '0,/^uuid=/s/^uuid=//p' "$file")
          if nmcli -g UUID connection show --active | grep -qx "$uuid"; then
            if [ ! -e "$old" ]; then continue; fi
          elif grep -qx -e 'type=wifi' -e 'autoconnect=false' "$file"; then
            continue
          fi
          nmcli --wait "$wait" connection up uuid "$uuid" || true
        done
        rm -rf -- /run/firstlight/network-manager
      '';
    };
  };

  systemd.network.links = {
    "10-card" = {
      matchConfig = {
        OriginalName = "enp*";
        Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
      };
      linkConfig.Name = "card0";
    };
    "10-lan" = {
      matchConfig = {
        MACAddress = "52:54:00:12:34:56";
        Kind = "!bond bridge dummy gre gretap ip6gre ip6gretap ip6tnl ipip sit vlan vrf vti vti6 vxlan wireguard macsec team";
      };
      linkConfig = {
        Name = "lan0";
        WakeOnLan = "magic";
      };
    };
  };

  hardware.wirelessRegulatoryDatabase = true;
  boot.extraModprobeConfig = "options cfg80211 ieee80211_regdom=CH\n";
}
