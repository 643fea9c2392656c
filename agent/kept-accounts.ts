import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { isImportAddress } from "#provisioner/userdata/cloud-config/imported-keys.ts";
import type { FetchSources } from "./read-parts.ts";

/** Keys of the accounts of `ssh_import_id` as they were read last; public, and root's own all the same. */
const keptFile = "/var/lib/firstlight/instance/accounts.json";

const maxBytes = 4 * 1024 * 1024;
/** Of one account; more is no list of keys, and is not kept. */
const maxTextLength = 256 * 1024;

interface KeptAccounts {
  readonly v: 1;
  /** Text by address. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Reads sources, and remembers what accounts named as their keys: where one cannot be read again, what it
 * said last stands in, so that a machine without a way there stays what it is.
 */
export function withKeptAccounts(
  io: Pick<Io, "files">,
  log: Log,
  fetchSources: FetchSources,
): FetchSources {
  return async (urls, how) => {
    const accounts = urls.filter(isImportAddress);
    const found = await fetchSources(urls, how);
    if (accounts.length === 0) return found;
    const kept = readKept(io.files);
    const missing = accounts.filter((url) => !found.has(url) && Object.hasOwn(kept, url));
    if (missing.length > 0) log.warning("source.kept", { count: missing.length });
    const all = new Map([
      ...found,
      ...missing.map((url) => [url, Buffer.from(kept[url] ?? "", "utf8")] as const),
    ]);
    const texts = accounts.flatMap((url) => {
      const text = Buffer.from(all.get(url) ?? []).toString("utf8");
      return text === "" || text.length > maxTextLength ? [] : [[url, text] as const];
    });
    const work = () => keep(io.files, texts);
    if (how?.keep === undefined) work();
    else await how.keep(work);
    return all;
  };
}

/** What is torn or of another version counts as nothing. */
function readKept(files: Files): KeptAccounts["texts"] {
  try {
    const kept = JSON.parse(
      files.readText(keptFile, { maxBytes }) ?? "null",
    ) as Partial<KeptAccounts> | null;
    const texts = Object.entries(kept?.v === 1 ? (kept.texts ?? {}) : {});
    return Object.fromEntries(texts.filter(([, text]) => typeof text === "string"));
  } catch {
    return {};
  }
}

function keep(files: Files, texts: readonly (readonly [string, string])[]): void {
  const text = prettyJson({ v: 1, texts: Object.fromEntries(texts) } satisfies KeptAccounts);
  if (text.length > maxBytes || files.readText(keptFile, { maxBytes }) === text) return;
  files.write(keptFile, text, { mode: 0o600 });
}
