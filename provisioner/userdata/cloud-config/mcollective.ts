import { refused, refusedModule } from "./refused.ts";

const way =
  "nixpkgs has no MCollective, and Puppet has given it up; commands come to a fleet by its reports: `firstlight: report`";

/** `mcollective`: orchestration over a message broker. */
export const mcollective = refusedModule({
  name: "mcollective",
  rule:
    "nixpkgs has no MCollective, and its makers have given it up in favour of Choria. Nothing of the section is " +
    "used, its keys and certificates neither; what a fleet needs of it is `firstlight: report`.",
  example: "mcollective:\n  conf:\n    plugin.stomp.host: broker.example.org\n",
  keys: { mcollective: refused.mapping(way, { conf: refused.mapping(way) }) },
});
