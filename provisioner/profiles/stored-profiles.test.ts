import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { compileHandMade } from "./compile.ts";
import { readDeclared, withDeclared } from "./declared.ts";
import { matchProfile } from "./match.ts";
import { allProfiles } from "./profile.ts";
import { sampleFacts } from "./sample-facts.ts";
import { openStoredProfiles, storeProfiles } from "./stored-profiles.ts";

const shipped = hostFiles(new URL("../..", import.meta.url).pathname, () => {});
const { compiled: handMade, folders } = compileHandMade(shipped, "/hardware-profiles");
const declared = readDeclared(shipped, "/hardware-profiles");
if (declared === undefined) throw new Error("expected declared profiles");
const compiled = withDeclared(handMade, declared);
const stored = storeProfiles({ compiled, sources: folders, declared });

function write(directory: string) {
  for (const [file, text] of stored) {
    mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  }
  return hostFiles(directory, () => {});
}

t.test("what is stored is what was compiled, made by hand and declared", async (t) => {
  const opened = openStoredProfiles(write(t.testdir()));
  if (opened === undefined) throw new Error("expected profiles");
  t.strictSame(allProfiles(opened), compiled.profiles);
  const dmi = { sysVendor: "LENOVO", productVersion: "ThinkPad T480" };
  for (const facts of [
    sampleFacts({ architecture: "x86_64", dmi }),
    sampleFacts({ architecture: "aarch64" }),
  ])
    t.strictSame(matchProfile(facts, opened), matchProfile(facts, compiled));
  t.equal(opened.find("acme/none"), undefined);
  t.equal(opened.find("../hardware-profiles/generic/x86-64"), undefined, "an id is no path");
  t.equal(opened.source("nixos-hardware/lenovo-thinkpad-t480"), undefined);
  t.equal(opened.source("lenovo/thinkpad")?.file.tests, undefined, "tests are for the lint");
});

t.test("without the files there are none, and damaged ones are named", async (t) => {
  t.equal(openStoredProfiles(hostFiles(t.testdir(), () => {})), undefined);
  const directory = t.testdir();
  const files = write(directory);
  const at = (file: string) => path.join(directory, "hardware-profiles", file);
  const opened = openStoredProfiles(files);
  rmSync(at("generic/x86-64.json"));
  t.throws(() => opened?.find("lenovo/thinkpad"), {
    code: "profile/invalid",
    message: "/hardware-profiles/generic/x86-64.json: is missing",
  });
  writeFileSync(at("generic/aarch64.json"), "[");
  t.throws(() => opened?.find("generic/aarch64"), {
    code: "profile/invalid",
    message: "/hardware-profiles/generic/aarch64.json: expected JSON",
  });
  for (const text of ["", "1\n", '{"v":2}\n', "<html>\n"]) {
    writeFileSync(at("rules.jsonl"), text);
    t.throws(() => openStoredProfiles(files), { code: "profile/invalid" }, JSON.stringify(text));
  }
  writeFileSync(at("rules.jsonl"), '{"v":1}\n{"id":"acme/x"');
  t.throws(() => [...(openStoredProfiles(files)?.rules ?? [])], /rules\.jsonl: expected JSON/);
});
