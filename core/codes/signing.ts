import type { CodeTable } from "./entry.ts";

export const signingCodes = {
  "signing/no-repository": {
    means: "There is no signing repository of a fleet in this directory.",
    action: "Name it with `--dir`, or make one: `firstlight fleet init DIR --fleet NAME`.",
  },
  "signing/exists": {
    means: "What should be made is there already, with another content.",
    action: "Use the one that is there, or choose another name or directory.",
  },
  "signing/damaged": {
    means:
      "A file of the signing repository is not what its owners have signed: it was changed, cut off or mixed up.",
    action:
      "Bring the file that the message names back from a copy; find out who could write there before you sign anything. `firstlight fleet verify` names every such file.",
  },
  "signing/key-unknown": {
    means: "No key has this name in the repository, or the key has no say in what is to be signed.",
    action: "`firstlight fleet keys list` says which keys there are and what they sign.",
  },
  "signing/key-locked": {
    means: "The private half of a key cannot be opened.",
    action: "Give its passphrase, or the age identity that it was sealed to, with `--identity`.",
  },
  "signing/passphrase-missing": {
    means: "A passphrase is needed, and there is no terminal to ask at.",
    action: "Give it with `--passphrase-fd N`, or seal keys to age recipients.",
  },
  "signing/signer-failed": {
    means:
      "The program that signs in place of a key file failed, or gave no signature of this key.",
    action: "Run it by hand as docs/signing.md says; the message has its last words.",
  },
  "signing/quorum": {
    means: "A role would need more signatures than it has keys, or has no key left.",
    action: "Add a key first, or lower the threshold with `--threshold`.",
  },
  "signing/not-signed": {
    means: "What is needed still waits for signatures.",
    action: "`firstlight fleet sign` shows what waits and whose signatures are missing.",
  },
  "signing/nothing-waits": {
    means: "Nothing waits for a signature of this key.",
    action: "`firstlight fleet sign` without `--key` shows what waits at all.",
  },
  "signing/unconfirmed": {
    means: "What is to be signed was not confirmed, or is not what was confirmed.",
    action: "Read what `firstlight fleet sign` shows, and give its digest with `--digest`.",
  },
  "signing/release-invalid": {
    means: "The document of a release cannot be signed as it is.",
    action: "Mend what the message names; no secret may stand in it.",
  },
  "signing/release-unknown": {
    means: "The owners have signed no release of this name.",
    action: "`firstlight fleet release list` says which there are.",
  },
  "signing/node-unknown": {
    means: "No message was made for a node of this name.",
    action: "Make one: `firstlight fleet assign NODE RELEASE`.",
  },
  "signing/refused-by-node": {
    means: "A node would refuse what was about to be made; nothing was written.",
    action:
      "The message says what the node would say; `firstlight fleet verify` looks at the rest.",
  },
} as const satisfies CodeTable;
