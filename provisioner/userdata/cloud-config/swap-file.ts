import type { Swap } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { readByteSize } from "./byte-size.ts";
import type { ModuleInput } from "./module.ts";
import { nameNeedless } from "./refused.ts";

const mebibyte = 1024 ** 2;

/** `swap`: a file; without a size there is none, as in cloud-init. */
export function addSwapFile(input: Input, { draft }: ModuleInput): void {
  if (!input.isMapping()) return input.expected("a mapping with `size`");
  const device = readPath(input.get("filename"));
  const size = readSize(input.get("size"));
  const most = input.get("maxsize");
  const maxBytes = most === undefined ? undefined : readByteSize(most);
  if (size === undefined || device === undefined) return;
  if (size === 0) return nameNeedless(input, "without a size there is no swap; remove the key");
  draft.spec.swap ??= [];
  draft.origin(["swap", draft.spec.swap.length], input);
  draft.spec.swap.push({ device, ...readWish(size, maxBytes) });
}

/** As cloud-init does it, a limit is for `auto` alone. */
function readWish(size: number | "auto", maxBytes: number | undefined): Partial<Swap> {
  if (size !== "auto") return { sizeMiB: inMebibytes(size) };
  return { size, ...(maxBytes === undefined ? {} : { maxMiB: inMebibytes(maxBytes) }) };
}

function inMebibytes(bytes: number): number {
  return Math.max(1, Math.floor(bytes / mebibyte));
}

function readPath(input: Input | undefined): string | undefined {
  if (input === undefined) return "/swap.img";
  const path = input.text();
  if (path === undefined || path.startsWith("/")) return path;
  input.expected("an absolute path", "as in `/swap.img`", "a relative one");
  return undefined;
}

function readSize(input: Input | undefined): number | "auto" | undefined {
  if (input === undefined) return 0;
  if (typeof input.value !== "string" || input.value.toLowerCase() !== "auto") {
    return readByteSize(input);
  }
  input.mark("translated");
  return "auto";
}
