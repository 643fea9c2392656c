import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import { declaredFile } from "./declared.ts";

const maxFolders = 4096;

/** SHA-256 over everything below `directory` that profiles are compiled of. */
export function digestOfProfiles(files: Files, directory: string): string {
  const parts = folderIds(files, directory).flatMap((id) => [
    `${id}/profile.yaml`,
    `${id}/module.nix`,
  ]);
  const digests = [...parts, declaredFile].map((part) => {
    const bytes = files.read(`${directory}/${part}`);
    return [part, bytes === undefined ? null : sha256(bytes)];
  });
  return sha256(canonicalJson(digests));
}

/** Every folder with a `profile.yaml` two levels below `directory`, sorted. */
export function folderIds(files: Files, directory: string): readonly string[] {
  const ids = files
    .list(directory)
    .flatMap((vendor) => files.list(`${directory}/${vendor}`).map((model) => `${vendor}/${model}`));
  return ids
    .filter((id) => files.stat(`${directory}/${id}/profile.yaml`) !== undefined)
    .slice(0, maxFolders);
}
