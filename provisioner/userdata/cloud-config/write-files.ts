import { posix } from "node:path";
import type { File } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { isUnprotected } from "../unprotected.ts";
import { decodeContent } from "./file-content.ts";
import { readMode } from "./file-mode.ts";
import { warnOfInterpreter } from "./interpreter.ts";
import { lintFile } from "./lint-file.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { writtenPaths } from "./program-paths.ts";
import { sourcesLimit } from "./sources-limit.ts";

/** Bytes that all files of a document may have together, once decoded. */
const maxTotalBytes = 64 * 1024 * 1024;

/** `write_files`: every file with its mode; what is not for everybody to read becomes a secret. */
export const writeFiles: CloudConfigModule = {
  name: "write_files",
  keys: ["write_files"],
  rule:
    "Files with mode and owner; content in base64 or gzip is decoded. What not everybody may read, " +
    "what is no text, and what is appended becomes a secret. `source` is read by the agent before " +
    "the translation, without `headers`. What is under /etc is kept as it is written here; what is elsewhere is written once per " +
    "instance, and again where the document changes it: what a person makes of it stays. A mode belongs in quotes: 644 without a leading zero is a " +
    "decimal number. What lies on a mount of the document waits for it; with `defer` the network and all mounts are up. Directories that are made for a file belong to its owner, but those that other distributions bring (`/opt`, `/srv`, `/usr/local`, `/var/log`), which are root's. A file whose owner or group is not there when it is written is root's, and the unit " +
    "that writes it fails; it keeps no other file back. A script whose first line names an interpreter that NixOS " +
    "does not have there (`#!/bin/bash`) is warned of, and so is what cannot work in a script of shell, or what a unit starts by a path that NixOS has not.",
  example: `users:
  - default
  - name: app
    system: true
write_files:
  - path: /etc/motd
    content: |
      This machine is managed.
  - path: /etc/app/token
    permissions: "0600"
    owner: app:app
    encoding: b64
    content: c2VjcmV0Cg==
    defer: true
`,
  translate(module) {
    let left = maxTotalBytes;
    const written = writtenPaths(module.config);
    for (const item of module.config.get("write_files")?.items() ?? []) {
      left -= addFile(item, { ...module, written, maxBytes: left });
    }
  },
};

interface Given extends ModuleInput {
  /** Paths that the document writes. */
  readonly written: ReadonlySet<string>;
  readonly maxBytes: number;
}

/** Adds a file, and says how many bytes it has. */
function addFile(item: Input, { draft, context, written, maxBytes }: Given): number {
  if (!item.isMapping()) {
    item.expected("a mapping with `path`");
    return 0;
  }
  const path = readPath(item);
  const mode = readMode(item.get("permissions"));
  const owners = readOwners(item.get("owner"));
  const append = item.get("append")?.boolean() ?? false;
  const defer = item.get("defer")?.boolean() ?? false;
  const inline = () => decodeContent(item.get("content"), item.get("encoding"), maxBytes);
  const bytes =
    item.get("source") === undefined ? inline() : readSource(item, { context, draft }, inline);
  if (path === undefined || bytes === undefined) return bytes?.length ?? 0;
  warnOfInterpreter(item.get("content") ?? item, bytes, written);
  const content = item.get("content");
  if (content !== undefined && item.get("encoding") === undefined && !item.has("source")) {
    lintFile(path, content, written);
  }

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
    ...owners,
    ...(append ? { append } : {}),
    ...(defer ? { defer } : {}),
    // What is under /etc is the system's; what is added is added once as it is.
    ...(append || path.startsWith("/etc/") ? {} : { once: true }),
  });
  return bytes.length;
}

/** As cloud-init's `os.path.abspath`, but for a path that begins nowhere. */
function readPath(item: Input): string | undefined {
  const input = item.get("path");
  if (input === undefined) {
    item.add("error", {
      code: "user-data/wrong-type",
      message: "expected a mapping with `path`",
      hint: "say which file is written, as `path: /etc/motd`",
    });
    return undefined;
  }
  const path = input.text();
  if (path === undefined) return undefined;
  if (path.startsWith("/")) {
    const plain = posix.resolve(path);
    if (path.endsWith("/")) warnOfDirectory(input, plain);
    return plain;
  }
  input.expected("an absolute path", "begin it with `/`, as in `/etc/motd`", "a relative one");
  return undefined;
}

function warnOfDirectory(input: Input, plain: string): void {
  input.add("warning", {
    code: "cloud-config/directory-path",
    message: `a path that ends with / is that of a directory; the file ${plain} is made, as by cloud-init`,
    hint: "write the path of a file, without / at its end",
  });
}

/** `user`, `user:group`; nothing, `-1` and `none` leave root, as in cloud-init's `extract_usergroup`. */
function readOwners(input: Input | undefined): Pick<File, "owner" | "group"> {
  const [owner, ...rest] = (input?.text() ?? "").split(":");
  const group = rest.join(":");
  const given = (name: string | undefined) => {
    const clean = name?.trim() ?? "";
    return ["", "-1", "none", "root"].includes(clean.toLowerCase()) ? undefined : clean;
  };
  const names = { owner: given(owner), group: given(group) };
  return {
    ...(names.owner === undefined ? {} : { owner: names.owner }),
    ...(names.group === undefined ? {} : { group: names.group }),
  };
}

/** What stands behind `source.uri`, fetched before translation; else `content`, as in cloud-init. */
function readSource(
  item: Input,
  { context, draft }: Pick<ModuleInput, "context" | "draft">,
  inline: () => Uint8Array | undefined,
): Uint8Array | undefined {
  const source = item.get("source");
  const uri = source?.get("uri");
  source?.get("headers")?.unsupported({
    code: "cloud-config/unsupported-key",
    message: "the source is read without headers of its own",
    hint: "use an address that needs none",
  });
  if (uri === undefined && source?.has("uri") === true) return inline();
  if (source === undefined || uri === undefined) {
    source?.expected("a mapping with `uri`");
    return undefined;
  }
  const address = uri.text();
  if (address === undefined) return inline();
  if (isUnprotected(address) && draft.isSigned(uri.origin().document)) {
    uri.mark("unsupported");
    uri.add("error", {
      code: "user-data/signed-unprotected",
      message: "signed text names what is read without protection, and nobody signed that",
      hint: "write https in the place of http",
    });
    return undefined;
  }
  const bytes = context.fetched.get(address);
  if (bytes !== undefined) {
    uri.mark("agent");
    for (const key of ["content", "encoding"]) item.get(key)?.mark("translated");
    return bytes;
  }
  uri.mark("unsupported");
  const fallback = item.get("content") !== undefined;
  const isBeyond = context.beyondLimits?.has(address) === true;
  const { code, message, hint } = isBeyond
    ? sourcesLimit
    : {
        code: "cloud-config/source-unavailable" as const,
        message: "the source could not be read",
        hint: "check the address; http, https and data addresses are read",
      };
  uri.add(fallback ? "warning" : "error", {
    code,
    message: fallback ? `${message}; \`content\` is used` : message,
    hint,
  });
  const content = inline();
  return fallback ? content : undefined;
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
