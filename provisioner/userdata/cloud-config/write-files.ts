import { gunzipSync } from "node:zlib";
import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";

const maxFileBytes = 32 * 1024 * 1024;

/** `write_files`: every file with its mode; what is not for everybody to read becomes a secret. */
export const writeFiles: CloudConfigModule = {
  name: "write_files",
  keys: ["write_files"],
  translate(module) {
    for (const item of module.config.get("write_files")?.items() ?? []) addFile(item, module);
  },
};

function addFile(item: Input, { draft, context }: ModuleInput): void {
  const path = item.get("path")?.text();
  if (path === undefined) {
    return item.add("error", {
      code: "user-data/wrong-type",
      message: "expected a mapping with `path`",
    });
  }
  const encodingInput = item.get("encoding");
  const content = item.get("content");
  const bytes = readSource(item, context.fetched) ?? decode(content, encodingInput);
  encodingInput?.mark("translated");
  content?.mark("translated");
  if (bytes === undefined) return;

  const mode = readMode(item.get("permissions"));
  const [owner = "root", group] = (item.get("owner")?.text() ?? "root:root").split(":");
  const append = item.get("append")?.boolean() ?? false;
  const defer = item.get("defer")?.boolean() ?? false;
  draft.spec.files ??= [];
  draft.origin(["files", draft.spec.files.length], item);
  const text = asText(bytes);
  const readable = (Number.parseInt(mode, 8) & 0o004) !== 0;
  draft.spec.files.push({
    path,
    ...(text !== undefined && readable && !append
      ? { content: text }
      : { secret: draft.secret(`file${path.replaceAll("/", "-")}`, bytes) }),
    mode,
    ...(owner === "root" ? {} : { owner }),
    ...(group === undefined || group === "root" ? {} : { group }),
    ...(append ? { append } : {}),
    ...(defer ? { defer } : {}),
  });
}

/** What stands behind `source.uri`, fetched before translation; `undefined` falls back to `content`, as in cloud-init. */
function readSource(item: Input, fetched: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
  const source = item.get("source");
  if (source === undefined) return undefined;
  source.mark("agent");
  const uri = source.get("uri")?.text();
  if (uri === undefined) return void source.expected("a mapping with `uri`");
  const bytes = fetched.get(uri);
  if (bytes !== undefined) return bytes;
  const fallback = item.get("content") !== undefined;
  source.add(fallback ? "warning" : "error", {
    code: "cloud-config/source-unavailable",
    message: fallback
      ? "the source could not be read; `content` is used"
      : "the source could not be read",
    hint: "check the address; http, https, file and data addresses are read",
  });
  return undefined;
}

function decode(
  content: Input | undefined,
  encodingInput: Input | undefined,
): Uint8Array | undefined {
  if (content === undefined || content.value === null) return new Uint8Array();
  const text =
    typeof content.value === "number" || typeof content.value === "boolean"
      ? String(content.value)
      : content.text();
  if (text === undefined) return undefined;
  const steps = decodingSteps(encodingInput);
  let bytes: Uint8Array = Buffer.from(text, steps.includes("latin1") ? "latin1" : "utf8");
  try {
    if (steps.includes("base64")) bytes = decodeBase64(text);
    if (steps.includes("gunzip")) bytes = gunzipSync(bytes, { maxOutputLength: maxFileBytes });
    return bytes;
  } catch (error) {
    content.add("error", {
      code: "cloud-config/undecodable",
      message: `not ${steps.join(" + ")}: ${error instanceof Error ? error.message : String(error)}`,
      hint: "check `encoding`, and that the content was not cut",
    });
    return undefined;
  }
}

function decodingSteps(input: Input | undefined): readonly ("base64" | "gunzip" | "latin1")[] {
  const name = (input?.text() ?? "").toLowerCase().trim();
  if (["gz", "gzip"].includes(name)) return ["gunzip", "latin1"];
  if (["gz+base64", "gzip+base64", "gz+b64", "gzip+b64"].includes(name))
    return ["base64", "gunzip"];
  if (["b64", "base64"].includes(name)) return ["base64"];
  if (!["", "text/plain"].includes(name)) {
    input?.add("warning", {
      code: "cloud-config/unknown-value",
      message: "unknown encoding; the content is taken as plain text",
      hint: "known are b64, gz, gz+b64 and text/plain",
    });
  }
  return [];
}

function decodeBase64(text: string): Uint8Array {
  const clean = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || clean.length % 4 === 1)
    throw new Error("other characters than those of base64");
  return Buffer.from(clean, "base64");
}

/** Octal text of the permission bits. A number is what YAML made of it: `0644` is octal already. */
function readMode(input: Input | undefined): string {
  if (input === undefined || input.value === null) return "0644";
  input.mark("translated");
  const { value } = input;
  if (typeof value === "string" && /^(0o?)?[0-7]{3,4}$/.test(value))
    return value.replace(/^0o/, "").padStart(4, "0");
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o7777) {
    const mode = value.toString(8).padStart(4, "0");
    if (/^[0-7]{3}$/.test(String(value))) {
      input.add("warning", {
        code: "cloud-config/decimal-mode",
        message: `the number ${value} is mode ${mode} in octal`,
        hint: `write "0${value}" in quotes if that was meant`,
      });
    }
    return mode;
  }
  input.expected('permission bits such as "0644"');
  return "0600";
}

/** The text of bytes, or `undefined` when they are not UTF-8 or hold NUL. */
function asText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
