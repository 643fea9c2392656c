import { refused, refusedModule } from "./refused.ts";

const way =
  "NixOS has no client of Landscape; name the broker that the machine reports to under `firstlight: report`";

/** `landscape`: registration at Canonical's management of machines. */
export const landscape = refusedModule({
  name: "landscape",
  rule:
    "NixOS has no client of Landscape. What it tells of a machine `firstlight: report` does: presence, " +
    "outcome of boots and changes, and drift.",
  example: "landscape:\n  client:\n    account_name: plant\n    computer_title: edge-17\n",
  keys: { landscape: refused.mapping(way, { client: refused.mapping(way) }) },
});
