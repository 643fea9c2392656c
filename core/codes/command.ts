import type { CodeTable } from "./entry.ts";

export const commandCodes = {
  "command/expired": {
    means: "A command had expired before the node could begin it; nothing was done.",
    action: "Send it again; the answer before says what kept the node from it.",
  },
  "command/argument-invalid": {
    means:
      "A command has an argument that it does not take, or one of the wrong form; nothing was done.",
    action: "Send a new command; docs/trust.md says what each of them takes.",
  },
  "command/not-committed": {
    means:
      "A command asks for a generation that was never healthy on this machine, or that firstlight did not make.",
    action: "`firstlight history` lists generations that were committed.",
  },
  "command/not-enrolled": {
    means: "The node has no certificate of the fleet's, so there is none to renew.",
    action: "Enrol it first (docs/enrolment.md).",
  },
  "command/taken-back": {
    means: "A command changed the system, and the change was taken back: it was not healthy.",
    action: "`firstlight history` says which checks failed.",
  },
  "command/failed": {
    means: "A command could not be carried out; the message says why.",
    action: "Look at the log of firstlight-fleet-commands.service on the node.",
  },
  "command/upload-forbidden": {
    means:
      "A bundle was written, and the command names an address at a host that the settings do not; nothing was sent.",
    action:
      "Fetch it from the node, or name the host in `fleet.diagnostics.uploadTo` of the image's settings; where nobody of yours sent that command, somebody has the director's key.",
  },
  "command/upload-failed": {
    means: "A bundle was written, and the address that the command names did not take it.",
    action:
      "Look at that address; the bundle lies on the node, and a new command makes another one.",
  },
} as const satisfies CodeTable;
