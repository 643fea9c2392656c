import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { hostFiles } from "#core/host-files.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { type DeclaredFile, declaredFile } from "#provisioner/profiles/declared.ts";
import { parseIdentity } from "#provisioner/profiles/identity.ts";
import { readModules, readNeeds, refusesImport } from "./checkout.ts";
import { mineProfiles } from "./mine.ts";

// `node tools/nixos-hardware/generate.ts CHECKOUT IDENTITIES`, on demand: writes the declared profiles
// from the commit that is checked out in CHECKOUT, a repository of nixos-hardware, and IDENTITIES, a
// file of identities, one a line (`.gz` or plain). See docs/nixos-hardware.md.

const repository = join(import.meta.dirname, "../..");
const [checkout, identitiesFile] = process.argv.slice(2).map((each) => resolve(each));
if (checkout === undefined || identitiesFile === undefined) {
  console.error("usage: generate.ts CHECKOUT IDENTITIES");
  process.exit(2);
}

const tree = mkdtempSync(join(tmpdir(), "nixos-hardware-"));
try {
  const git = (...args: readonly string[]) => ["-C", checkout, ...args];
  const archive = join(tree, "tree.tar");
  const source = join(tree, "source");
  execFileSync("git", git("archive", "--prefix=source/", "-o", archive, "HEAD"));
  execFileSync("tar", ["-xf", archive, "-C", tree]);
  const revision = execFileSync("git", git("rev-parse", "HEAD"), { encoding: "utf8" }).trim();
  const modules = readModules(source);
  const found = mineProfiles({
    modules,
    needs: (path) => readNeeds(source, path),
    refuses: (path) => refusesImport(source, path),
    identities: readIdentities(identitiesFile),
    source: "linuxhw/DMI",
    handMade: compileHandMade(
      hostFiles(repository, () => {}),
      "/hardware-profiles",
    ).compiled,
  });
  const file: DeclaredFile = {
    v: 1,
    revision,
    narHash: narHashOf(source),
    evaluatedBy: "integration/nixos-hardware/nixos-hardware.full.test.ts",
    modules: [...new Set(modules.map(({ path }) => path))].sort(),
    ...found,
  };
  writeFileSync(join(repository, "hardware-profiles", declaredFile), printFile(file));
  console.log(`${found.profiles.length} profiles of ${modules.length} modules`);
} finally {
  rmSync(tree, { recursive: true, force: true });
}

function readIdentities(path: string) {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseIdentity(JSON.parse(line)));
}

function narHashOf(path: string): string {
  const hex = execFileSync("nix-hash", ["--type", "sha256", path], { encoding: "utf8" }).trim();
  return `sha256-${Buffer.from(hex, "hex").toString("base64")}`;
}

/** One line a profile and a module, so that a difference reads well. */
function printFile({ modules, profiles, left, ...head }: DeclaredFile): string {
  const lines = (items: readonly unknown[]) =>
    `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  const fields = Object.entries(head).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
  return `{\n${fields.join(",\n")},\n  "profiles": ${lines(profiles)},\n  "left": ${lines(left)},\n  "modules": ${lines(modules)}\n}\n`;
}
