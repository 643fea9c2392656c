import type { Cloud } from "../cloud.ts";
import { dhcpServers } from "../dhcp-server.ts";
import { virtualRouter } from "./virtual-router.ts";

/**
 * Apache CloudStack
 * (https://docs.cloudstack.apache.org/en/latest/adminguide/virtual_machines/user-data.html). The
 * virtual router of a network is its DHCP server and has the metadata; those of all networks are asked, and the
 * one that the network's name server knows.
 */
export const cloudStack: Cloud = {
  name: "CloudStack",
  service: { addresses: [], probe: "/latest/meta-data/instance-id" },
  identify({ productName }) {
    return productName.startsWith("CloudStack") ? `product name: ${productName}` : undefined;
  },
  named: ["http://data-server"],
  addressesOn: (files) => dhcpServers(files).map((server) => `http://${server}`),
  ...virtualRouter("/latest/", ":8080/"),
};
