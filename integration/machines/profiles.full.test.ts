import t from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { ProfileFolder } from "#provisioner/profiles/profile-folder.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { skipWithoutNix } from "../nix-eval.ts";
import { complaintsAbout } from "../render-check.ts";

t.setTimeout(300_000);
const root = new URL("../..", import.meta.url).pathname;
const { compiled, folders } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");
const pin = { storePath: "/nix/store/hardware", narHash: null, revision: null };

/** The first machine of a profile's tests: its whole facts where they were recorded. */
function firstMachine({ file, fixtures }: ProfileFolder): Facts | undefined {
  const test = file.tests?.match[0];
  if (test?.facts !== undefined) return sampleFacts(test.facts);
  return JSON.parse(fixtures.get(test?.fixture ?? "") ?? "null") ?? undefined;
}

t.test(
  "every profile renders on the first machine of its tests, as options that NixOS has",
  { skip: skipWithoutNix() },
  async (t) => {
    const left: string[] = [];
    for (const folder of folders) {
      const { id } = folder.file;
      const facts = firstMachine(folder);
      if (facts === undefined) throw new Error(`${id}: expected a machine in its tests`);
      const match = matchProfile(facts, compiled);
      if (match.applied !== id) {
        left.push(id);
        continue;
      }
      const profile = compiled.profiles.find((each) => each.id === id);
      const base = { pins: { "nixos-hardware": pin } };
      const { sources } = tryRender({ hostname: "a" }, { facts, match, profiles: compiled, base });
      t.same(complaintsAbout(sources), [], id);
      const text = sources.files.find(({ path }) => path === "firstlight/hardware.nix")?.content;
      t.match(text, profile?.title, `${id}: its name stands at the head`);
      for (const name of profile?.nixos.imports ?? [])
        t.match(text, `"/nix/store/hardware/${name}"`, `${id}: ${name}`);
    }
    t.same(left, ["lenovo/thinkpad"], "its machine has a declared profile, the others have none");
  },
);
