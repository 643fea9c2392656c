import type { CloudConfigModule } from "./module.ts";

/** `reset_rmc`: a node id of IBM's cluster software on POWER; without keys. */
export const resetRmc: CloudConfigModule = {
  name: "reset_rmc",
  keys: [],
  rule:
    "It has no keys. cloud-init gives a copied machine on PowerVM another node id of IBM's RSCT, which NixOS does " +
    "not have; where it is brought by hand, `runcmd` calls its recfgct once per instance.",
  example: "",
  translate() {},
};
