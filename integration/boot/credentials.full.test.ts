import t from "tap";
import { container } from "./container.ts";
import { openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { play } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { seed } from "./scenarios/documents.ts";

t.setTimeout(600_000);
const skip = skipWithoutBoot();

/** A machine that nothing is inserted into. */
const given: Scenario = {
  name: "credentials of systemd",
  steps: () => [
    { why: "the machine is switched on", power: "on" },
    {
      why: "the bootstrap layer has the network from them",
      says: "bootstrap.finished",
      with: { network: 1, keys: 1 },
    },
    {
      why: "and the boot all the rest",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    { why: "the fleet hears of it", hears: "boot.finished", with: { datasource: "credentials" } },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "given\n" },
    { why: "the machine is switched off", power: "off" },
  ],
};

t.test(
  "in a container: a machine from the credentials that its systemd is given",
  { skip },
  async (t) => {
    const lab = await openLab(t);
    const { userData, networkConfig = "" } = seed({
      motd: "given",
      publicKey: lab.publicKey,
      pace: 1,
    });
    const credentials = {
      "firstlight.user-data": userData,
      "firstlight.network-config": networkConfig,
    };
    const machine = await container(t, lab, { credentials });
    await play(t, given, { machine, lab });
  },
);
