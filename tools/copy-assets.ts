import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { compiledSuffix } from "#cli/chunk-loader.ts";
import { type PublishedSchema, publishedSchemas, shippedPath } from "#cli/published-schemas.ts";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { declaredFile, readDeclared, withDeclared } from "#provisioner/profiles/declared.ts";
import { digestOfProfiles } from "#provisioner/profiles/profile-digest.ts";
import { storeProfiles } from "#provisioner/profiles/stored-profiles.ts";
import manifest from "../package.json" with { type: "json" };

// Second half of `npm run build`: what the program reads at run time, put beside the bundle.
// Templates, the NixOS module and published schemas are copied; profiles are compiled.

const repository = join(import.meta.dirname, "..");
const dist = join(repository, "dist");

mkdirSync(dist, { recursive: true });
copyRoom("templates", (path) => !path.endsWith(".test.ts"));
copyRoom("nixos", (path) => !/\.[a-z]+$/.test(path) || /\.(?:nix|sh)$/.test(path));
copySchemas();
compileHardwareProfiles();
writePackage();

function copyRoom(room: string, wanted: (path: string) => boolean): void {
  rmSync(join(dist, room), { recursive: true, force: true });
  cpSync(join(repository, room), join(dist, room), { recursive: true, filter: wanted });
}

function copySchemas(): void {
  mkdirSync(join(dist, "schemas"), { recursive: true });
  for (const [name, file] of Object.entries(publishedSchemas))
    cpSync(join(repository, file), join(dist, shippedPath(name as PublishedSchema)));
}

function compileHardwareProfiles(): void {
  const files = hostFiles(repository, () => {});
  const { compiled, folders, findings } = compileHandMade(files, "/hardware-profiles");
  for (const finding of findings) console.error(`build: ${formatFinding(finding)}`);
  if (hasErrors(findings)) process.exitCode = 1;
  const declared = readDeclared(files, "/hardware-profiles");
  if (declared === undefined) throw new Error(`build: expected hardware-profiles/${declaredFile}`);
  const whole = withDeclared(compiled, declared); // throws where the two do not fit
  rmSync(join(dist, "hardware-profiles"), { recursive: true, force: true });
  const stored = storeProfiles({
    compiled: whole,
    sources: folders,
    declared,
    digest: digestOfProfiles(files, "/hardware-profiles"),
  });
  for (const [name, text] of stored) {
    const path = join(dist, "hardware-profiles", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function digestOf(directory: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) {
    const file = join(directory, name);
    if (
      name === "package.json" ||
      name.endsWith(compiledSuffix) ||
      name.endsWith(".map") ||
      !statSync(file).isFile()
    )
      continue;
    hash.update(`${name}\0${statSync(file).size}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/**
 * Says that the bundle is CommonJS, wherever the directory is installed, and by a digest what
 * program it is: a boot that knows its inputs asks whether it is still the same.
 */
function writePackage(): void {
  const { name, version, license } = manifest;
  const digest = digestOf(dist);
  const text = JSON.stringify({ name, version, license, type: "commonjs", digest }, null, 2);
  writeFileSync(join(dist, "package.json"), `${text}\n`);
}
