import type { Files } from "#core/io.ts";
import type { TrustedState, TrustedVersions } from "#protocol/trust/trusted.ts";
import {
  defaultRootFile,
  maxTrustedBytes,
  trustedCopyFile,
  trustedFile,
} from "./trusted-places.ts";

/**
 * Versions of what is believed, as the files say, for who only tells them: nothing of the verifier is
 * loaded, and nothing is checked. `undefined` where the node belongs to no fleet, or nothing can be read.
 */
export function readTrustedVersions(
  files: Files,
  rootFile: string = defaultRootFile,
): TrustedVersions | undefined {
  for (const file of [trustedFile, trustedCopyFile]) {
    const stored = readJson<Partial<TrustedState>>(files, file);
    const root = stored?.root?.signed.version;
    if (root === undefined) continue;
    const of = (role: "timestamp" | "snapshot" | "targets" | "director") =>
      stored?.[role]?.signed.version ?? 0;
    return {
      root,
      timestamp: of("timestamp"),
      snapshot: of("snapshot"),
      targets: of("targets"),
      director: of("director"),
    };
  }
  const root = readJson<TrustedState["root"]>(files, rootFile)?.signed?.version;
  return root === undefined
    ? undefined
    : { root, timestamp: 0, snapshot: 0, targets: 0, director: 0 };
}

function readJson<T>(files: Files, file: string): T | undefined {
  try {
    const text = files.readText(file, { maxBytes: maxTrustedBytes });
    return text === undefined ? undefined : ((JSON.parse(text) ?? undefined) as T | undefined);
  } catch {
    return undefined;
  }
}
