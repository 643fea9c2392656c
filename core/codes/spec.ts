import type { CodeTable } from "./entry.ts";

export const specCodes = {
  "spec/invalid": {
    means: "A value does not fit the schema of the spec.",
    action: "Change the value at the named line; docs/spec.md lists every key.",
  },
  "spec/unknown-secret": {
    means: "The spec refers to a secret that was not given.",
    action: "Put the secret itself in its place; firstlight moves it to the credential store.",
  },
} as const satisfies CodeTable;
