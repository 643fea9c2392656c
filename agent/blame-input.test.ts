import t from "tap";
import { Fault } from "#core/fault.ts";
import { blameInput, type Evaluated } from "./blame-input.ts";

const at = (line: number, column: number) => ({ document: "user-data", line, column });

const evaluated: Evaluated = {
  sources: {
    digest: "0".repeat(64),
    credentials: [],
    nixpkgs: null,
    files: [
      {
        path: "firstlight/manifest.json",
        mode: 0o644,
        content: JSON.stringify({
          options: {
            "boot.loader.timeout": at(9, 5),
            "users.users.alice": at(4, 5),
            "users.users": at(3, 1),
            "services.firstlight.enable": null,
          },
        }),
      },
    ],
  },
  translation: {
    spec: { version: 1, packages: ["htop", "htopp", "python3Packages.nope"] },
    origins: new Map([
      ["packages.1", at(2, 18)],
      ["packages.2", at(2, 25)],
    ]),
  },
};

const failed = (message: string) => new Fault("system/evaluation-failed", message);

const cases: Record<string, { readonly message: string; readonly blamed: readonly object[] }> = {
  "the line that set an option": {
    message:
      "firstlight/instance.nix:7: A definition for option `boot.loader.timeout' is not of type `signed integer'. Definition values:\n- In `firstlight/instance.nix': \"soon\"",
    blamed: [
      {
        ...at(9, 5),
        path: "boot.loader.timeout",
        level: "error",
        message: /^A definition for option/,
      },
    ],
  },
  "the nearest option above, when Nix names one inside of it": {
    message: "The option ‘users.users.alice.uid’ is used but not defined.",
    blamed: [{ ...at(4, 5), path: "users.users.alice.uid" }],
  },
  "a package that nixpkgs does not have": {
    message: "firstlight/instance.nix:67: attribute 'htopp' missing",
    blamed: [{ ...at(2, 18), message: "nixpkgs has no package `htopp`" }],
  },
  "a package of a set": {
    message: "attribute 'nope' missing",
    blamed: [{ ...at(2, 25), path: "packages.2" }],
  },
  "nothing of what firstlight itself decides": {
    message: "The option `services.firstlight.enable' has conflicting definition values",
    blamed: [],
  },
  "nothing of what no document set": { message: "infinite recursion encountered", blamed: [] },
};

for (const [name, { message, blamed }] of Object.entries(cases)) {
  t.test(`blamed: ${name}`, async (t) => {
    const found = blameInput(failed(message), evaluated);
    t.equal(found.length, blamed.length);
    t.match(found, blamed);
  });
}

t.test("other errors are nobody's fault", async (t) => {
  t.same(blameInput(new Error("option `boot.loader.timeout'"), evaluated), []);
  t.same(blameInput(new Fault("system/build-failed", "attribute 'htopp' missing"), evaluated), []);
});
