import type { Cloud } from "../cloud.ts";
import { virtualRouter } from "./virtual-router.ts";

/**
 * Exoscale (https://community.exoscale.com/documentation/compute/cloud-init/). Private instances have
 * a disk for NoCloud in the place of this service.
 */
export const exoscale: Cloud = {
  name: "Exoscale",
  service: {
    addresses: ["http://169.254.169.254"],
    probe: "/1.0/meta-data/instance-id",
    otherPorts: [8080],
  },
  identify({ productName }) {
    return productName.startsWith("Exoscale") ? `product name: ${productName}` : undefined;
  },
  ...virtualRouter("/1.0/", ":8080/1.0/"),
};
