import { refused, refusedModule } from "./refused.ts";

const way =
  "NixOS has no fan networking; give each machine a subnet with a tunnel in the network config, or use WireGuard";

/** `fan`: Ubuntu's overlay network for containers. */
export const fan = refusedModule({
  name: "fan",
  rule:
    "NixOS has no fan networking: its kernel and tools are Ubuntu's own. A subnet of each machine that others reach " +
    "is a tunnel of the network config (`tunnels` of version 2) or WireGuard.",
  example: "fan:\n  config: |\n    10.0.0.0/8 eth0/16 dhcp\n",
  keys: {
    fan: refused.mapping(way, {
      config: refused.text(way),
      config_path: refused.text("NixOS has no fan networking; drop it", () => true),
    }),
  },
});
