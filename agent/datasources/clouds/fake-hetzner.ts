/** For tests: what Hetzner Cloud's metadata service says. */
import type { FakeAnswer } from "../metadata/fake-service.ts";

const root = "/hetzner/v1/";
export const hetznerMetadata = `${root}metadata`;
export const hetznerNetworks = `${hetznerMetadata}/private-networks`;
export const hetznerUserDataPath = `${root}userdata`;
export const hetznerUserData = "#cloud-config\nhostname: a\n";

const said = `
hostname: edge
instance-id: 123456
local-ipv4: ''
availability-zone: fsn1-dc14
region: eu-central
public-ipv4: 192.0.2.7
public-keys:
- ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine
network-config:
  config:
  - mac_address: 96:00:00:08:19:DA
    name: eth0
    subnets:
    - dns_nameservers:
      - 185.12.64.1
      ipv4: true
      type: dhcp
    - address: 2001:db8:beef::1/64
      dns_nameservers:
      - 2a01:4ff:ff00::add:1
      gateway: fe80::1
      ipv6: true
    type: physical
  version: 1
network-sysconfig: "DEVICE='eth0'\\nTYPE=Ethernet\\n"
vendor_data: "#cloud-config\\n{}\\n"
`;

export const hetznerAnswers: Readonly<Record<string, FakeAnswer>> = {
  [hetznerMetadata]: said,
  [`${hetznerMetadata}/instance-id`]: "123456",
  [hetznerNetworks]: "",
  [hetznerUserDataPath]: hetznerUserData,
};
