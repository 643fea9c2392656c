import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";

/** `firstlight fleet` */
export const command: Command = {
  usage:
    "fleet enroll init --fleet NAME --url URL [--key p256|ed25519] | serve | token --node NAME (--instance ID | --hardware DIGEST) | approve CODE [--node NAME] | deny CODE | list | revoke NODE [--again] | certificate HOST… --out DIR | access | crl [--dir DIR] | fleet simulate FILE [--nodes N] [--seed N] [--json]",
  summary:
    "The operator's side: who is of the fleet and has a certificate, and what would come of a rollout.",
  help: "enroll init makes the directory of a fleet: its certificate authority, and settings that a person goes on with\n(docs/enrolment.md). serve answers nodes. token prints a one-shot token for one machine, good for a day. approve and deny\nanswer a code that stands on a console. revoke takes away what a node has; with --again its machine may enrol anew.\ncertificate makes one for a server of the fleet, such as the broker. access and crl print what a mosquitto needs: its\nacl_file and its crlfile. --dir is the directory of the fleet; /var/lib/firstlight-fleet when absent.\nsimulate plays a rollout on a made-up fleet, with the reconciler that plays it on a real one, and shows what comes of\nit: waves, hardware models, the course over time and what happened when. FILE is a scenario (docs/rollout-scenario.md).\nThe same seed plays the same. Exit code 2 when the rollout does not succeed.",
  options: {
    dir: { type: "string" },
    fleet: { type: "string" },
    url: { type: "string" },
    key: { type: "string" },
    node: { type: "string" },
    instance: { type: "string" },
    hardware: { type: "string" },
    out: { type: "string" },
    again: { type: "boolean" },

    nodes: { type: "string" },
    seed: { type: "string" },
  },
  arity: [2, 34],
  async run(invocation) {
    const [area, ...args] = invocation.args;
    switch (area) {
      case "enroll":
        return (await import("../fleet-enroll.ts")).enrollFleet({ ...invocation, args });
      case "simulate":
        return (await import("../fleet-simulate.ts")).simulateFleet({ ...invocation, args });
      default:
        throw new Fault(
          "cli/usage",
          `fleet: expected enroll or simulate, got ${JSON.stringify(area)}`,
        );
    }
  },
};
