import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { lintCommand } from "./lint-command.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { attributesOfSnap } from "./packages.ts";
import { writtenPaths } from "./program-paths.ts";
import { nameNeedless, nameRefused } from "./refused.ts";
import { addCommand, addPackages, shellLine } from "./spec-command.ts";

const noSnap = "NixOS has no snap; name packages of nixpkgs under `packages`";
const ofPins = "packages are those of the pinned nixpkgs: none is newer from one day to the next";

/** `snap`: commands and assertions of snapd. */
export const snap: CloudConfigModule = {
  name: "snap",
  keys: ["snap"],
  rule:
    "NixOS has no snap. What `snap install` would bring is taken from nixpkgs by the same name, with a warning; to hold updates " +
    "back asks for nothing; every other command of snap is refused, and so are assertions. A command that is none of snap runs " +
    "once per instance when the network is up.",
  example: `snap:
  assertions:
    - signed_assertion_blob_here
  commands:
    - [install, yq]
    - snap refresh --hold=forever
`,
  translate(module) {
    const input = module.config.get("snap");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `commands`");
    if (input.entries().length === 0) return nameNeedless(input, noSnap);
    refuseAssertions(input.get("assertions"));
    addCommands(input.get("commands"), module);
  },
};

function refuseAssertions(input: Input | undefined): void {
  if (input === undefined) return;
  if (!input.isMapping() && !input.isList()) return input.expected("a list of assertions");
  if (input.parts().length === 0) return nameNeedless(input, noSnap);
  nameRefused(
    input,
    "NixOS has no snap; whose packages are taken is nix.settings.trusted-public-keys under `firstlight: options`",
  );
}

/** In the order of their keys, where they have some. */
function addCommands(input: Input | undefined, { config, draft }: ModuleInput): void {
  if (input === undefined) return;
  if (!input.isMapping() && !input.isList()) return input.expected("a list of commands");
  const parts = input.isMapping()
    ? [...input.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part)
    : input.items();
  if (parts.length === 0) return nameNeedless(input, noSnap);
  const written = writtenPaths(config);
  const lines = parts.flatMap((part) => {
    const words = readWords(part);
    if (words.length === 0) return [];
    if (words[0] === "snap") return readSnap(part, words.slice(1), draft);
    lintCommand(part, words, { written });
    return typeof part.value === "string" ? [part.value] : [shellLine(words)];
  });
  if (lines.length > 0) addCommand(draft, input, { name: "snap-commands", when: "late", lines });
}

/** A list is a command of snap, with or without its name. */
function readWords(part: Input): readonly string[] {
  if (!part.isList())
    return (part.text() ?? "")
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
  const words = part.texts();
  return words.length === 0 || words[0] === "snap" ? words : ["snap", ...words];
}

function readSnap(part: Input, [command, ...rest]: readonly string[], draft: SpecDraft): [] {
  const names = rest.filter((word) => !word.startsWith("-"));
  if (command === "install" && names.length > 0 && names.every(isName)) {
    const attributes = names.flatMap((name) => attributesOfSnap(name, part));
    if (attributes.length > 0) addPackages(draft, part, attributes);
  } else if (command === "refresh") nameNeedless(part, ofPins);
  else nameRefused(part, noSnap);
  return [];
}

function isName(word: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(word);
}
