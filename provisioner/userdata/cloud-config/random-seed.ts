import type { Input } from "../input.ts";
import { decodeContent } from "./file-content.ts";
import { lintCommand } from "./lint-command.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { addCommand, quoted } from "./own-command.ts";
import { writtenPaths } from "./program-paths.ts";

const maxBytes = 64 * 1024;
const pool = "/dev/urandom";

/** `random_seed`: bytes for the kernel's pool. */
export const randomSeed: CloudConfigModule = {
  name: "seed_random",
  keys: ["random_seed"],
  rule:
    "`data` is written to the kernel's pool, or added to `file`, once per instance; it travels as a secret and is never in the store. " +
    "`encoding` is `raw`, `base64` or `gzip`. A `command` runs after it with `RANDOM_SEED_FILE`; one that is not " +
    "there is passed over, unless `command_required`.",
  example: "random_seed:\n  data: c29tZSByYW5kb20gYnl0ZXM=\n  encoding: base64\n",
  translate(module) {
    const input = module.config.get("random_seed");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `data`");
    const file = readFile(input.get("file"));
    const bytes = readData(input);
    const command = readCommand(input, module);
    if (file === undefined || bytes === undefined) return;
    const seed =
      bytes.length === 0
        ? []
        : [
            `base64 -d >> ${quoted(file)} << 'END OF SEED' || code=1`,
            ...lines(bytes),
            "END OF SEED",
          ];
    if (seed.length + command.length === 0) {
      const message = "there is neither data nor a command";
      return input.unsupported({ code: "cloud-config/no-meaning", message }, "note");
    }
    const all = [
      "code=0",
      ...seed,
      `export RANDOM_SEED_FILE=${quoted(file)}`,
      ...command,
      "exit $code",
    ];
    addCommand(module.draft, { name: "random-seed", when: "early", lines: all, at: input });
    for (const [key, value] of input.entries()) if (known.has(key)) value.mark("agent");
  },
};

const known = new Set(["file", "data", "encoding", "command", "command_required"]);

function readFile(input: Input | undefined): string | undefined {
  const path = input === undefined ? pool : input.text();
  if (path === undefined || /^\/[^\0\r\n]*$/.test(path)) return path;
  input?.expected("an absolute path", "begin it with `/`, as in `/dev/urandom`", "another text");
  return undefined;
}

function readData(input: Input): Uint8Array | undefined {
  const encoding = input.get("encoding");
  const isRaw = typeof encoding?.value === "string" && encoding.value.toLowerCase() === "raw";
  if (isRaw) encoding?.mark("translated");
  const bytes = decodeContent(input.get("data"), isRaw ? undefined : encoding, maxBytes);
  if (bytes === undefined || bytes.length <= maxBytes) return bytes;
  input
    .get("data")
    ?.expected(
      `${maxBytes} bytes at most`,
      "give less of it: some hundreds of bytes are enough",
      "more",
    );
  return undefined;
}

/** Base64 in lines of 76 characters. */
function lines(bytes: Uint8Array): readonly string[] {
  return (
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  );
}

function readCommand(input: Input, { config }: ModuleInput): readonly string[] {
  const command = input.get("command");
  const required = input.get("command_required")?.boolean() ?? false;
  const words = command === undefined ? [] : command.items().map((word) => word.looseText() ?? "");
  const [program] = words;
  if (program === undefined || command === undefined) {
    if (required && command === undefined) {
      const message = "a command is required, and there is none";
      input.get("command_required")?.add("error", {
        ...{ code: "user-data/wrong-type", message },
        hint: "give one, as `command: [pollinate, -r]`, or remove `command_required`",
      });
    }
    return [];
  }
  if (words.some((word) => word.includes("\0"))) {
    command.expected("a list of words", undefined, "one with NUL in it");
    return [];
  }
  lintCommand(command, words, { written: writtenPaths(config) });
  const line = `${words.map(quoted).join(" ")} || code=1`;
  return required ? [line] : [`if command -v ${quoted(program)} > /dev/null; then ${line}; fi`];
}
