import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import manifest from "../package.json" with { type: "json" };

// Second half of `npm run build`: what the program reads at run time, put beside the bundle.
// Templates and the NixOS module are copied; profiles are compiled into one file.

const repository = join(import.meta.dirname, "..");
const dist = join(repository, "dist");

mkdirSync(dist, { recursive: true });
copyRoom("templates", (path) => !path.endsWith(".test.ts"));
copyRoom("nixos", (path) => !/\.[a-z]+$/.test(path) || path.endsWith(".nix"));
compileHardwareProfiles();
writePackage();

function copyRoom(room: string, wanted: (path: string) => boolean): void {
  rmSync(join(dist, room), { recursive: true, force: true });
  cpSync(join(repository, room), join(dist, room), { recursive: true, filter: wanted });
}

function compileHardwareProfiles(): void {
  const { compiled, findings } = compileProfiles(
    hostFiles(repository, () => {}),
    "/hardware-profiles",
  );
  for (const finding of findings) console.error(`build: ${formatFinding(finding)}`);
  if (hasErrors(findings)) process.exitCode = 1;
  writeFileSync(join(dist, "hardware-profiles.json"), `${JSON.stringify(compiled)}\n`);
}

/** Says that the bundle is ES modules, wherever the directory is installed. */
function writePackage(): void {
  const { name, version, license } = manifest;
  const text = JSON.stringify({ name, version, license, type: "module" }, null, 2);
  writeFileSync(join(dist, "package.json"), `${text}\n`);
}
