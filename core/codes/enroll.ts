import type { CodeTable } from "./entry.ts";

export const enrollCodes = {
  "enroll/settings-invalid": {
    means: "The settings of enrolment, of the node or of its server, do not fit.",
    action: "Mend the key or the file that the message names.",
  },
  "enroll/state-unreadable": {
    means: "What the node remembers of its enrolment cannot be read.",
    action:
      "Look at the disk, or remove `/var/lib/firstlight/enroll` so that the node enrols anew.",
  },
  "enroll/unreachable": {
    means: "The enrolment server could not be reached, or did not answer in time.",
    action: "Check address and network; the node tries again and goes on where it was.",
  },
  "enroll/untrusted": {
    means:
      "Who answered is not the enrolment server of the image, or the certificate that came is not this node's.",
    action:
      "Check `fleet.enroll.caFile`, the server's name, its certificate and the clock of this machine.",
  },
  "enroll/no-claim": {
    means: "The node has nothing that it could be enrolled by.",
    action:
      "Give it a token, or list a way in `fleet.enroll.via` that this machine has; the message says what each lacks.",
  },
  "enroll/pending": {
    means: "A person has not approved the node yet.",
    action:
      "Compare the code with the machine's console, then: `firstlight fleet enroll approve CODE`.",
  },
  "enroll/malformed": {
    means: "A message of enrolment is not of the protocol.",
    action: "Use the same version on both sides; the message names what does not fit.",
  },
  "enroll/too-large": {
    means: "A message of enrolment is larger than allowed.",
    action: "Look at who sends it: no node sends so much.",
  },
  "enroll/busy": {
    means:
      "The enrolment server is asked too often, or has too many requests that wait for a person.",
    action: "Nothing to do: nodes ask again later. If it lasts, look at who asks.",
  },
  "enroll/proof-wrong": {
    means:
      "A request is not signed by the key that it asks a certificate for, or not by the one from before.",
    action: "Nothing can be mended by hand: the node makes a new request.",
  },
  "enroll/challenge-stale": {
    means: "A request repeats a challenge that is too old, or is another key's.",
    action:
      "Nothing to do: the node asks for a new one. If it lasts, look for a proxy that keeps answers.",
  },
  "enroll/way-closed": {
    means: "The enrolment server does not take this kind of claim.",
    action: "Open the way in the server's settings, or use another one.",
  },
  "enroll/token-invalid": {
    means: "A token is damaged, or was not signed by this fleet.",
    action: "Make a new one: `firstlight fleet enroll token`.",
  },
  "enroll/token-expired": {
    means: "A token is older than it may be.",
    action: "Make a new one: `firstlight fleet enroll token`.",
  },
  "enroll/token-unknown": {
    means: "The server's list of tokens that may still be used does not have this one.",
    action:
      "Make a new one: `firstlight fleet enroll token`. A server that lost its database knows none.",
  },
  "enroll/token-used": {
    means: "A one-shot token was used before, by another key.",
    action: "Find out by whom (`firstlight fleet enroll list`); then make a new one.",
  },
  "enroll/token-other": {
    means: "A token is bound to another instance or other hardware.",
    action: "Give each machine its own token.",
  },
  "enroll/document-invalid": {
    means: "The identity document of a cloud is damaged, or not signed by whom the server trusts.",
    action: "Check the cloud's certificates or keys in the server's settings.",
  },
  "enroll/document-stale": {
    means: "The identity document of a cloud is too old to prove anything.",
    action: "Start the machine again, or enrol it by a token.",
  },
  "enroll/foreign": {
    means:
      "A machine of the cloud is in an account, project, subscription or region that is not allowed.",
    action: "Add it to the server's settings if it is yours.",
  },
  "enroll/instance-used": {
    means: "This instance was enrolled before, with another key.",
    action:
      "If it is the same machine, set up anew: `firstlight fleet enroll revoke NODE --again`.",
  },
  "enroll/node-taken": {
    means: "Another key has a certificate of this name.",
    action:
      "Choose another name, or `firstlight fleet enroll revoke NODE --again` if it is the same machine.",
  },
  "enroll/cloned": {
    means: "The machine is not the one that its identity was made for: a copy of a disk.",
    action: "Nothing to do: the copy throws the identity away and enrols anew.",
  },
  "enroll/contested": {
    means: "Two machines use the same identity, and nothing tells which one is the copy.",
    action:
      "Find both. Then `firstlight fleet enroll revoke NODE --again`: both enrol anew. Until then each keeps its certificate to its end, and none is renewed.",
  },
  "enroll/revoked": {
    means: "A person has revoked what this node had.",
    action: "If the node shall come back, give it a new token, or revoke with `--again`.",
  },
  "enroll/key-unknown": {
    means: "The server knows no certificate of the key that a node wants to renew with.",
    action: "Nothing to do where the node has another way: it enrols anew. Else give it a token.",
  },
  "enroll/expired-long-ago": {
    means: "A node was away for longer than its key counts after its certificate.",
    action: "Nothing to do where the node has another way: it enrols anew. Else give it a token.",
  },
  "enroll/denied": {
    means: "A person has denied the node.",
    action: "If that was a mistake, let the node ask again: it shows a new code.",
  },
  "enroll/code-unknown": {
    means: "No node waits under this code.",
    action:
      "Read it again at the console; codes are good for half an hour. `firstlight fleet enroll list` shows who waits.",
  },
  "enroll/node-unknown": {
    means: "No node of this name is enrolled.",
    action: "`firstlight fleet enroll list` shows them.",
  },
  "enroll/authority-missing": {
    means: "There is no certificate authority in the directory of the fleet.",
    action: "`firstlight fleet enroll init` makes one.",
  },
  "enroll/authority-unreadable": {
    means: "The certificate authority of the fleet cannot be read.",
    action: "Bring back its files from a copy; nodes trust no other one.",
  },
} as const satisfies CodeTable;
