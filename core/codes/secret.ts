import type { CodeTable } from "./entry.ts";

export const secretCodes = {
  "secret/serialised": {
    means: "A secret was about to be printed or written as data; firstlight refused.",
    action: "This is a defect of firstlight: please report it.",
  },
  "secret/encrypt-failed": {
    means: "A secret could not be encrypted for this machine.",
    action: "Run `systemd-creds encrypt --name=x - -` by hand; check the host key and the TPM.",
  },
  "secret/decrypt-failed": {
    means: "An encrypted credential could not be decrypted on this machine.",
    action:
      "Encrypt it anew for this machine and under the name that the message says: `systemd-creds encrypt --name=NAME`.",
  },
  "secret/readable-by-all": {
    means: "A credential came by a way that everybody on the machine may read.",
    action: "Give it by SMBIOS, by fw_cfg, or encrypted with `systemd-creds encrypt`.",
  },
  "secret/unsealed": {
    means: "What was to be sealed is no age envelope, and is used as it is.",
    action:
      "Seal it to the node's recipient, which `firstlight identity` prints: `age -r RECIPIENT -o NAME.age NAME`.",
  },
  "secret/too-large": {
    means: "A secret, or an envelope, is larger than is read.",
    action: "Check that it is the right file; let a command fetch what is larger.",
  },
  "secret/envelope-damaged": {
    means:
      "An age envelope is for this node, or for nobody, and cannot be opened: it was changed or cut.",
    action: "Seal it anew, and check that it was copied whole.",
  },
  "secret/envelope-foreign": {
    means: "An age envelope is not sealed to this node.",
    action:
      "Seal it to what `firstlight identity` prints on the node: `age -r RECIPIENT` (X25519), or `-R` with its ssh host key.",
  },
  "secret/identity-unreadable": {
    means: "A key that is to open envelopes on this node is none.",
    action:
      "Correct the credential, or restore `.identity` in the credential store; where that is removed another is made, and envelopes are sealed anew.",
  },
} as const satisfies CodeTable;
