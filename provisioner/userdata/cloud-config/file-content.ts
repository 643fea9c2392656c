import { gunzip } from "#core/gunzip.ts";
import type { Input } from "../input.ts";

/** Bytes that one file may have once decoded. */
const maxFileBytes = 32 * 1024 * 1024;

type Step = "base64" | "gunzip";

/** Names of encodings, as cloud-init's `canonicalize_extraction` knows them. */
const encodings: ReadonlyMap<string, readonly Step[]> = new Map<string, readonly Step[]>([
  ...["", "text/plain"].map((name) => [name, []] as const),
  ...["b64", "base64"].map((name) => [name, ["base64"]] as const),
  ...["gz", "gzip"].map((name) => [name, ["gunzip"]] as const),
  ...["gz+b64", "gz+base64", "gzip+b64", "gzip+base64"].map(
    (name) => [name, ["base64", "gunzip"]] as const,
  ),
]);

/**
 * The bytes that `content` stands for; none when it is absent. `undefined`, with a finding, when it
 * does not fit `encoding` or has more than `maxBytes`.
 */
export function decodeContent(
  content: Input | undefined,
  encodingInput: Input | undefined,
  maxBytes: number,
): Uint8Array | undefined {
  const steps = readSteps(encodingInput);
  if (content === undefined) return new Uint8Array();
  const binary = content.binary();
  const text = content.looseText();
  if (text === undefined) return undefined;
  try {
    return steps.reduce(
      (bytes, step) => decode(bytes, step, maxBytes),
      binary ?? Buffer.from(text),
    );
  } catch (error) {
    content.mark("unsupported");
    content.add("error", {
      code: "cloud-config/undecodable",
      message: `not ${steps.join(" + ")}: ${error instanceof Error ? error.message : String(error)}`,
      hint: "check `encoding`, and that the content was not cut",
    });
    return undefined;
  }
}

function readSteps(input: Input | undefined): readonly Step[] {
  const name = (input?.text() ?? "").toLowerCase().trim();
  const steps = encodings.get(name);
  if (steps === undefined) {
    input?.unsupported({
      code: "cloud-config/unknown-value",
      message: "unknown encoding; the content is taken as plain text",
      hint: "known are b64, gz, gz+b64 and text/plain",
    });
  }
  return steps ?? [];
}

function decode(bytes: Uint8Array, step: Step, maxBytes: number): Uint8Array {
  const maxOutputLength = Math.min(maxFileBytes, maxBytes);
  if (step === "base64") return decodeBase64(Buffer.from(bytes).toString("latin1"));
  if (maxOutputLength < 1) throw new Error("the files of this document are too large together");
  return gunzip(bytes, maxOutputLength);
}

/** Node skips what is not base64; cut or foreign text must not pass for content. */
function decodeBase64(text: string): Uint8Array {
  const clean = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || clean.replace(/=+$/, "").length % 4 === 1) {
    throw new Error("cut, or other characters than those of base64");
  }
  return Buffer.from(clean, "base64");
}
