import type { Log } from "#core/log.ts";
import type { FetchSources } from "./resolve-spec.ts";

/** Of one address. */
export const maxSourceBytes = 32 * 1024 * 1024;
const timeoutMs = 30_000;

/**
 * Reads what documents name by address, all at once, each with its own limits. What cannot be read
 * is logged and left out: the translation makes a finding of it.
 */
export function sourceFetcher(log: Log): FetchSources {
  return async (urls) => {
    const results = await Promise.all(
      urls.map(async (url) => [url, await readOne(url, log)] as const),
    );
    return new Map(
      results.filter((result): result is [string, Uint8Array] => result[1] !== undefined),
    );
  };
}

async function readOne(url: string, log: Log): Promise<Uint8Array | undefined> {
  try {
    if (url.startsWith("data:")) return readDataUrl(url);
    if (!/^https?:\/\//.test(url)) throw new Error("expected an address with http, https or data");
    return await download(url);
  } catch (error) {
    log.warning("source.failed", { ...originOf(url), message: describe(error) });
    return undefined;
  }
}

/** What a log may say of an address: the rest of it can hold a token. */
export function originOf(url: string): { readonly origin: string } {
  return { origin: URL.parse(url)?.origin ?? "an address that cannot be parsed" };
}

/** The message of got says the whole address, which can hold a token. */
function describe(error: unknown): string {
  const { response } = error as { readonly response?: { readonly statusCode?: number } };
  if (response?.statusCode !== undefined) return `status ${response.statusCode}`;
  const message = error instanceof Error ? error.message : String(error);
  return /\b[a-z]+:\/\//i.test(message)
    ? ((error as { readonly code?: string }).code ?? "not read")
    : message;
}

async function download(url: string): Promise<Uint8Array> {
  const { default: got } = await import("got");
  const stream = got.stream(url, {
    timeout: { lookup: 5_000, connect: 5_000, request: timeoutMs },
    retry: { limit: 3, backoffLimit: 2_000 },
    maxRedirects: 5,
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxSourceBytes) throw new Error(`larger than ${maxSourceBytes} bytes`); // leaving the loop ends the stream
  }
  return Buffer.concat(chunks);
}

/** RFC 2397. */
function readDataUrl(url: string): Uint8Array {
  const [, base64, data = ""] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  return base64 === undefined
    ? Buffer.from(decodeURIComponent(data), "utf8")
    : Buffer.from(data, "base64");
}
