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
} as const satisfies CodeTable;
