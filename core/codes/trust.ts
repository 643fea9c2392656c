import type { CodeTable } from "./entry.ts";

export const trustCodes = {
  "trust/malformed": {
    means: "Signed metadata does not have the form that it must have, or names a key that is none.",
    action: "Look at who made it: the message names the place. docs/trust.md has the formats.",
  },
  "trust/limit": {
    means: "Signed metadata is larger, deeper or longer than a node reads at all.",
    action:
      "Send less: fewer targets, or a long root chain in several messages (docs/trust.md has the limits).",
  },
  "trust/no-root": {
    means:
      "The node has no root metadata to begin with, or a link of the chain from its own to the newest is missing.",
    action:
      "Name the file in `fleet.root` of the image's settings; send every root metadata from the node's version on.",
  },
  "trust/threshold": {
    means: "Not enough of a role's keys have signed.",
    action:
      "Sign with the keys that `firstlight trust show` lists for the role; if you did not make this, somebody else did.",
  },
  "trust/rollback": {
    means: "Something older than what the node believes already was offered.",
    action:
      "Send the newest metadata. After a stolen key, rotate that role's keys in a new root: then versions begin anew.",
  },
  "trust/expired": {
    means: "Signed metadata has expired.",
    action: "Sign it anew; look at the node's clock if it has not.",
  },
  "trust/stale": {
    means:
      "What the node believes has expired, and nothing newer came: it may be kept from news, or the fleet signs no more.",
    action: "Look at the link to the fleet, and whether its timestamp is made anew in time.",
  },
  "trust/mismatch": {
    means:
      "Parts of an offer do not belong together: versions of different sets, or the director and the owners do not name the same.",
    action:
      "Publish one whole set; let the director name only what the image role and its builders have signed.",
  },
  "trust/other-node": {
    means: "Signed metadata or a command is for another node.",
    action: "Send it to the node that it names; look who may publish on this node's topics.",
  },
  "trust/revoked": {
    means: "The owners have revoked this release or system.",
    action: "Assign another release.",
  },
  "trust/below-minimum": {
    means: "The release is older than the oldest that the owners allow.",
    action: "Assign a release from `minimumRelease` on.",
  },
  "trust/clock-untrusted": {
    means:
      "Signed metadata has expired by the node's clock, which nobody has set: it may be the clock that is wrong.",
    action: "Give the node a server of time; it looks again when its clock is synchronised.",
  },
  "trust/target-hash": {
    means: "A document or file is not the one that was signed: its length or digest is another.",
    action: "Get it from elsewhere; look at the mirror or broker that it came through.",
  },
  "trust/replay": {
    means: "A command was taken already, or is older than commands that are forgotten.",
    action: "Send a new command with an id of its own.",
  },
  "trust/state-damaged": {
    means:
      "What the node believed cannot be read from disk, so that it began anew from the root of its image: older metadata may be taken once more.",
    action: "Check the disk. The damaged file lies beside the new one.",
  },
  "trust/not-enrolled": {
    means: "This node belongs to no fleet whose signatures it could verify.",
    action:
      "Name the fleet's root metadata in `fleet.root` of the image's settings (docs/trust.md).",
  },
} as const satisfies CodeTable;
