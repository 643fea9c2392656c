import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { compileHandMade } from "./compile.ts";
import { readDeclared, withDeclared } from "./declared.ts";
import { matchProfile } from "./match.ts";
import { allProfiles } from "./profile.ts";
import { digestOfProfiles } from "./profile-digest.ts";
import { sampleFacts } from "./sample-facts.ts";
import { openStoredProfiles, storeProfiles } from "./stored-profiles.ts";

const shipped = hostFiles(new URL("../..", import.meta.url).pathname, () => {});
const { compiled: handMade, folders } = compileHandMade(shipped, "/hardware-profiles");
const declared = readDeclared(shipped, "/hardware-profiles");
if (declared === undefined) throw new Error("expected declared profiles");
const compiled = withDeclared(handMade, declared);
const stored = storeProfiles({ compiled, sources: folders, declared, digest: "d1" });

function write(directory: string) {
  for (const [file, text] of stored) {
    const at = path.join(directory, "p", file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  return hostFiles(directory, () => {});
}

t.test("what is stored is what was compiled, made by hand and declared", async (t) => {
  const opened = openStoredProfiles(write(t.testdir()), "/p");
  if (opened === undefined) throw new Error("expected profiles");
  t.strictSame(allProfiles(opened), compiled.profiles);
  const dmi = { sysVendor: "LENOVO", productVersion: "ThinkPad T480" };
  for (const facts of [
    sampleFacts({ architecture: "x86_64", dmi }),
    sampleFacts({ architecture: "aarch64" }),
  ])
    t.strictSame(matchProfile(facts, opened), matchProfile(facts, compiled));
  t.equal(opened.digest, "d1");
  t.equal(opened.minedRevision, declared.revision);
  t.equal(opened.find("acme/none"), undefined);
  t.equal(opened.find("../p/generic/x86-64"), undefined, "an id is no path");
  t.strictSame(
    opened.sources().map(({ file, module }) => [file.id, file.tests, module]),
    folders.map(({ file, module }) => [file.id, undefined, module]),
    "as they were written, without the tests, which are for the lint",
  );
  t.strictSame(opened.declared(), { ...declared, left: [], modules: [] });
  const { revision, modules } = declared;
  t.strictSame(opened.importable(), { revision, modules }, "for the lint");
});

t.test("without the files there are none, and damaged ones are named", async (t) => {
  t.equal(
    openStoredProfiles(
      hostFiles(t.testdir(), () => {}),
      "/p",
    ),
    undefined,
  );
  const directory = t.testdir();
  const files = write(directory);
  const at = (file: string) => path.join(directory, "p", file);
  const opened = openStoredProfiles(files, "/p");
  rmSync(at("generic/x86-64.json"));
  t.throws(() => opened?.find("lenovo/thinkpad"), {
    code: "profile/invalid",
    message: "/p/generic/x86-64.json: is missing",
  });
  rmSync(at("nixos-hardware-modules.json"));
  t.throws(() => opened?.importable(), { code: "profile/invalid", message: /is missing/ });
  writeFileSync(at("generic/aarch64.json"), "[");
  t.throws(() => opened?.find("generic/aarch64"), {
    code: "profile/invalid",
    message: "/p/generic/aarch64.json: expected JSON",
  });
  for (const text of ["", "1\n", '{"v":2}\n', "<html>\n"]) {
    writeFileSync(at("rules.jsonl"), text);
    t.throws(
      () => openStoredProfiles(files, "/p"),
      { code: "profile/invalid" },
      JSON.stringify(text),
    );
  }
  writeFileSync(at("rules.jsonl"), '{"v":1}\n{"id":"acme/x"');
  t.throws(
    () => [...(openStoredProfiles(files, "/p")?.rules ?? [])],
    /rules\.jsonl: expected JSON/,
  );
});

t.test("the digest is of all that profiles are compiled of, and of nothing else", async (t) => {
  const directory = t.testdir({
    acme: { one: { "profile.yaml": "a", fixtures: { "x.json": "1" } }, two: { "module.nix": "b" } },
  });
  const files = hostFiles(directory, () => {});
  const digest = () => digestOfProfiles(files, "/");
  const seen = [digest()];
  const change = (file: string, text: string) => writeFileSync(path.join(directory, file), text);
  change("acme/one/fixtures/x.json", "2");
  change("acme/two/module.nix", "c");
  t.equal(digest(), seen[0], "fixtures, and a folder without a profile");
  for (const file of [
    "acme/one/profile.yaml",
    "acme/one/module.nix",
    "nixos-hardware.json",
    "acme/two/profile.yaml",
  ]) {
    change(file, "changed");
    seen.push(digest());
  }
  t.equal(new Set(seen).size, seen.length, "every one is another");
});
