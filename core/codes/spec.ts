import type { CodeTable } from "./entry.ts";

export const specCodes = {
  "spec/invalid": {
    means: "A value does not fit the schema of the spec.",
    action: "Change the value at the named line; docs/spec.md lists every key.",
  },
  "spec/not-a-key": {
    means: "A text stands among `authorizedKeys` and does not look like a public key.",
    action: "Write a public key as ssh-keygen prints it.",
  },
  "spec/not-a-hash": {
    means: "The secret that `passwordHash` of a user holds or names is no password hash.",
    action: "Make one with `mkpasswd -m yescrypt`.",
  },
  "spec/unknown-secret": {
    means: "The spec refers to a secret that was not given.",
    action:
      "Give it under `secrets`, or put the secret itself in its place; firstlight moves it to the credential store.",
  },
  "spec/unused-secret": {
    means: "A secret was given by name, and nothing of the spec refers to it; it is not kept.",
    action: "Refer to it as `{ secretRef: NAME }` where it is needed, or remove it.",
  },
  "spec/secret-not-signed": {
    means:
      "A secret that a signed document gives was given beside it as well, where nobody signed it; the signed one counts.",
    action: "Take the one beside the document away, or leave the name out of the signed text.",
  },
  "spec/secret-twice": {
    means: "A secret was given by the spec and beside it; the one beside it counts.",
    action: "Remove one of them.",
  },
} as const satisfies CodeTable;
