import { refused, refusedModule } from "./refused.ts";

const way = "NixOS has no Spacewalk; use `firstlight: report` to have the machine in a fleet";

/** `spacewalk`: registration at a server that manages machines of Red Hat. */
export const spacewalk = refusedModule({
  name: "spacewalk",
  rule:
    "NixOS has no Spacewalk: the configuration of a machine is its spec, and `firstlight: report` names the " +
    "broker that it reports to.",
  example: "spacewalk:\n  server: manager.example.org\n  activation_key: key1\n",
  keys: {
    spacewalk: refused.mapping(way, {
      server: refused.text(way),
      proxy: refused.text(
        "NixOS has no Spacewalk; the proxy of every service is networking.proxy.default",
      ),
      activation_key: refused.text(way),
    }),
  },
});
