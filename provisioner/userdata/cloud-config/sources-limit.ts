import type { FindingText } from "../input.ts";

/** Of an address that was not read because of all the others. */
export const sourcesLimit: Required<FindingText> = {
  code: "cloud-config/sources-limit",
  message:
    "what files take from addresses is more than 64 MiB or two minutes in all: this one is not read any more",
  hint: "let a command of `runcmd` fetch what is large",
};
