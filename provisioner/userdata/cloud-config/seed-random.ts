import type { Input } from "../input.ts";
import { decodeContent } from "./file-content.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { addCommand, shellLine } from "./spec-command.ts";

const maxBytes = 64 * 1024;
const usualFile = "/dev/urandom";

/** `random_seed`: bytes for the kernel's random numbers. */
export const seedRandom: CloudConfigModule = {
  name: "seed_random",
  keys: ["random_seed"],
  rule:
    "`data` is written to the kernel, or added to `file`, by a script that runs once per instance before the network; it is a secret and never in " +
    "the store. A `command` runs once per instance when the network is up, with the path in RANDOM_SEED_FILE; where the program is not there, it " +
    "fails only with `command_required: true`. NixOS itself keeps a seed from boot to boot.",
  example: `random_seed:
  data: bXkgcmFuZG9tIHNlZWQ=
  encoding: b64
  command: [pollinate, --server=https://entropy.example.org]
`,
  translate(module) {
    const input = module.config.get("random_seed");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `data`");
    if (input.entries().length === 0) input.mark("translated");
    const file = readFile(input.get("file"));
    if (file === undefined) return;
    addData(input, file, module);
    addSeedCommand(input, file, module);
  },
};

function readFile(input: Input | undefined): string | undefined {
  const path = input === undefined ? usualFile : input.text();
  if (path === undefined || path.startsWith("/")) return path;
  input?.expected("an absolute path", undefined, "a relative one");
  return undefined;
}

function addData(input: Input, file: string, { draft }: ModuleInput): void {
  const data = input.get("data");
  const encoding = input.get("encoding");
  const bytes = decodeContent(data, encoding?.value === "raw" ? undefined : encoding, maxBytes);
  if (encoding?.value === "raw") encoding.mark("translated");
  if (data === undefined || bytes === undefined || bytes.length === 0) return;
  const text = Buffer.from(bytes).toString("base64");
  const lines = [`printf %s ${text} | base64 -d >> ${shellLine([file])}`];
  addCommand(draft, data, { name: "seed-random", when: "early", lines });
}

function addSeedCommand(input: Input, file: string, { draft }: ModuleInput): void {
  const command = input.get("command");
  const isRequired = input.get("command_required")?.boolean() ?? false;
  const words = command?.texts() ?? [];
  const [program] = words;
  if (command === undefined || program === undefined) return;
  const lines = [
    ...(isRequired ? [] : [`command -v ${shellLine([program])} > /dev/null || exit 0`]),
    `export RANDOM_SEED_FILE=${shellLine([file])}`,
    shellLine(words),
  ];
  addCommand(draft, command, { name: "seed-random-command", when: "late", lines });
}
