import { sha256 } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { AssignedClosure, Assignment } from "#protocol/trust/assignment.ts";
import { fromAny } from "#provisioner/system/fetch/cache-pool.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { fetchFile, type KnownFile } from "#provisioner/system/fetch/fetch-file.ts";
import { maxManifestBytes } from "#provisioner/system/fetch/verify-manifest.ts";
import { fetchSettings } from "../fetch-settings.ts";
import { checkManifest } from "./check-manifest.ts";
import { keptDocument, readIf } from "./kept-document.ts";
import { documentPlace, manifestPlace, mirrorPool } from "./mirrors.ts";
import { documentsDirectory } from "./places.ts";

/** What bringing from mirrors needs. */
export interface BringDeps {
  readonly io: Io;
  readonly log: Log;
  readonly settings: Settings;
  /** Who goes to the network. */
  readonly courier: Courier;
  readonly mirrors: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Brings the document of a release that did not come with the message, from whichever mirror has it: by the
 * length and the digest that were signed, so that no mirror can send more or anything else. What came of
 * it before a kill, or from another mirror, is gone on with. Throws `system/fetch-failed`.
 */
export async function bringDocument(
  d: BringDeps,
  release: Pick<Assignment["release"], "path" | "name" | "length" | "sha256">,
): Promise<string> {
  const { files } = d.io;
  const kept = keptDocument(files, release);
  if (kept !== undefined) return kept;
  const { path, length, sha256: digest } = release;
  dropOthers(files, digest);
  const part = `${documentsDirectory}/${digest}.part`;
  const read = () => readIf(files, part, length, (text) => sha256(text) === digest);
  await bring(d, {
    what: path,
    ...{ url: documentPlace(release), to: part, size: length, maxBytes: length },
    isWhole: () => read() !== undefined,
  });
  const text = read() ?? "";
  files.write(`${documentsDirectory}/${digest}`, text, { mode: 0o600 });
  files.remove(part);
  return text;
}

/**
 * Brings the manifest that the builders signed for these sources, as {@link bringDocument} does; of its file
 * nobody knows the length before, so it is held against the signature when it ends. Throws `system/fetch-failed`,
 * and `update/closure-mismatch` where all that was found was another one.
 */
export async function bringManifest(d: BringDeps, signed: AssignedClosure): Promise<string> {
  const { files } = d.io;
  const part = `${documentsDirectory}/${signed.sha256}.part`;
  let another: Fault | undefined;
  const read = () =>
    readIf(files, part, undefined, (text) => {
      try {
        checkManifest(text, signed);
        return true;
      } catch (error) {
        if (isFault(error)) another = error;
        return false;
      }
    });
  const wanted: Wanted = {
    what: `the manifest of ${signed.inputDigest}`,
    ...{ url: manifestPlace(signed.inputDigest), to: part, size: null, maxBytes: maxManifestBytes },
    isWhole: () => read() !== undefined,
  };
  await bring(d, wanted).catch((error) => {
    throw isFault(error, "system/fetch-failed") ? (another ?? error) : error;
  });
  const text = read() ?? "";
  files.remove(part);
  return text;
}

interface Wanted extends KnownFile {
  /** For a person. */
  readonly what: string;
}

async function bring(d: BringDeps, { what, ...file }: Wanted): Promise<void> {
  const { io, log, courier, mirrors, signal } = d;
  const settings = fetchSettings(d.settings);
  const { clock } = io;
  const files = io.files.unsynced;
  const pool = mirrorPool(mirrors, { settings, clock });
  await fromAny(pool, {
    signal,
    async attempt(cache) {
      try {
        await fetchFile({ ...settings, files, clock, courier, cache, signal }, file);
        log.info("update.brought", { what, mirror: cache.url });
      } catch (error) {
        if (error instanceof Fault && error.code !== "system/canceled")
          log.warning("update.mirror", {
            ...{ what, mirror: cache.url },
            ...{ code: error.code, message: error.message },
          });
        throw error;
      }
    },
    nowhere: (reasons) => {
      const why = reasons || "no mirror is named by the update or in fleet.mirrors";
      return new Fault("system/fetch-failed", `${what}: ${why}`);
    },
  });
}

/** Of releases before this one. */
function dropOthers(files: Files, digest: string): void {
  for (const name of files.list(documentsDirectory))
    if (!name.startsWith(digest)) files.remove(`${documentsDirectory}/${name}`);
}
