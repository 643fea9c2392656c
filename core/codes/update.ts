import type { CodeTable } from "./entry.ts";

export const updateCodes = {
  "update/assignment-invalid": {
    means: "What lies in /var/lib/firstlight/update/assigned.json is no assignment.",
    action: "Nothing to do: the next message of the fleet writes it anew.",
  },
  "update/release-missing": {
    means: "The document of the assigned release is not on this node.",
    action: "Send it with the update, or name a mirror that has it.",
  },
  "update/release-invalid": {
    means:
      "The document of the assigned release is not the one that was signed, or not of the form that this firstlight knows.",
    action: "Publish the release again; the message says what does not fit.",
  },
  "update/incompatible": {
    means:
      "The release is for other hardware, for another platform, or for a newer firstlight; nothing was changed.",
    action:
      "Assign this node a release that is made for it; `firstlight profiles match` says what it is.",
  },
  "update/release-denied": {
    means: "The release was tried on this machine, was not healthy, and is held back for now.",
    action:
      "Mend the release and publish it under a new number; `firstlight history` says until when it is held back.",
  },
  "update/closure-differs": {
    means:
      "What the node renders of the release is not what its signed system was built from; nothing was changed.",
    action:
      "Build the system again from what the node reports: facts, profile and base have to be the node's.",
  },
  "update/closure-mismatch": {
    means:
      "A place has another manifest of the system than the one that the fleet's builders signed.",
    action: "Look at that place: what it has is not used.",
  },
  "update/window-invalid": {
    means: "A window of time for updates cannot be read.",
    action:
      "Write `cron` with five fields (`0 2 * * 6`), `durationMinutes`, and a `timezone` of the IANA's list.",
  },
  "update/expired": {
    means: "The deadline of the update was over before it could begin; nothing was changed.",
    action: "Assign it again with a later deadline, or a window that comes before it.",
  },
  "update/held": {
    means: "The update waits: for its time, or for what keeps it from changing the machine now.",
    action: "`firstlight update status` says what it waits for; it goes on by itself.",
  },
  "update/not-healthy": {
    means: "The system of the release was tried and taken back.",
    action: "`firstlight history` says which checks failed; mend the release and publish it again.",
  },
  "update/roll-back-failed": {
    means: "The way back of an update could not be finished yet.",
    action:
      "Look at `firstlight status`; the next start of the machine tries it again, and a restart leads to the boot default.",
  },
  "update/canceled": {
    means: "The update was called off; what it had begun to try was taken back.",
    action: "Nothing to do; the fleet may assign another one.",
  },
  "update/looping": {
    means: "The update began again and again and came to no end; it was given up.",
    action: "Look at `firstlight analyze update`; then assign it again under a new id.",
  },
  "update/import-invalid": {
    means:
      "A directory that an update was to be taken from has no message in it, or one that is too large.",
    action: "Name the directory that holds `desired.json` (docs/updates.md has the layout).",
  },
  "update/import-held": {
    means: "A stick with an update was put in, and the settings do not let one be taken by itself.",
    action: "Take it by hand with `firstlight update import`, or set `update.removable`.",
  },
  "update/unknown": {
    means: "There is no such update on this node, or it is over.",
    action: "`firstlight update status` names the update that the node is at.",
  },
  "update/ledger-damaged": {
    means:
      "The ledger of updates could not be believed; it was kept beside, and a new one was begun. The journal of the system is another file.",
    action: "Nothing to do; look at the disk if it happens again.",
  },
} as const satisfies CodeTable;
