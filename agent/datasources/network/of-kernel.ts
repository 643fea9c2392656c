import { gunzip } from "#core/gunzip.ts";
import type { Files } from "#core/io.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { decodeBase64 } from "../base64.ts";
import { readKernelArguments } from "../kernel-command-line.ts";
import { type LookedAt, meaningOf, silent, unreadable } from "./said-network.ts";

const argument = "network-config=";
const document = "kernel command line: network-config";
/** A command line is short, and what is packed in it is no larger than a network config. */
const mostBytes = 256 * 1024;
const hint =
  "give a network config in base64 (`base64 -w0 network-config`, packed with gzip or not), or `disabled`";

/**
 * The network of the last `network-config=` among the kernel's arguments: in base64, packed with gzip or
 * not, or the word `disabled` (https://docs.cloud-init.io/en/latest/reference/network-config.html).
 */
export function networkOfKernel(files: Files): LookedAt {
  const given = readKernelArguments(files).findLast((word) => word.startsWith(argument));
  const text = given?.slice(argument.length) ?? "";
  if (text === "") return silent;
  if (text === "disabled") return { said: { document, bytes: undefined }, findings: [] };
  const packed = decodeBase64(text);
  if (packed === undefined)
    return unreadable(document, { message: "base64 was expected, another text came", hint });
  const bytes = unpacked(packed);
  if (bytes === undefined) {
    const message = `it is packed with gzip, and broken or larger than ${mostBytes / 1024} KiB`;
    return unreadable(document, { message, hint });
  }
  const decoded = readUtf8(bytes);
  if (decoded.text === undefined)
    return unreadable(document, { message: "UTF-8 was expected, other bytes came", hint });
  const { value } = readYaml(decoded.text, { document });
  // What is no YAML is told where it is translated, with its line.
  const meaning = value === undefined ? "network" : meaningOf(value);
  if (meaning === "nothing") return silent;
  return { said: { document, bytes: meaning === "disabled" ? undefined : bytes }, findings: [] };
}

function unpacked(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzip(bytes, mostBytes);
  } catch {
    return undefined;
  }
}
