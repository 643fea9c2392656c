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
} as const satisfies CodeTable;
