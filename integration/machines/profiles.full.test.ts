import t from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { ProfileFolder } from "#provisioner/profiles/profile-folder.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { skipWithoutNix } from "../nix-eval.ts";
import { complaintsAbout } from "../render-check.ts";

t.setTimeout(300_000);
const root = new URL("../..", import.meta.url).pathname;
// A declared profile may refine the one that is meant.
const { compiled, folders } = compileHandMade(hostIo({ root }).files, "/hardware-profiles");
const pin = { storePath: "/nix/store/hardware", narHash: null, revision: null };

/** The machines of a profile's tests that get it by themselves: their whole facts where they were recorded. */
function machinesOf({ file, fixtures }: ProfileFolder) {
  return (file.tests?.match ?? []).flatMap((test) => {
    const facts: Facts | null =
      test.facts === undefined
        ? JSON.parse(fixtures.get(test.fixture ?? "") ?? "null")
        : sampleFacts(test.facts);
    if (facts === null) return [];
    const match = matchProfile(facts, compiled);
    const given = [match.applied, ...match.components.map(({ id }) => id)];
    return given.includes(file.id) ? [{ facts, match }] : [];
  });
}

t.test(
  "every profile renders on the first machine of its tests that gets it, as options that NixOS has",
  { skip: skipWithoutNix() },
  async (t) => {
    const rendered = new Set<string>();
    const left: string[] = [];
    for (const folder of folders) {
      const [machine] = machinesOf(folder);
      const { id } = folder.file;
      if (machine === undefined) {
        left.push(id);
        continue;
      }
      const { facts, match } = machine;
      const profile = compiled.profiles.find((each) => each.id === id);
      const base = { pins: { "nixos-hardware": pin } };
      const { sources } = tryRender({ hostname: "a" }, { facts, match, profiles: compiled, base });
      t.same(complaintsAbout(sources), [], id);
      const text = sources.files.find(({ path }) => path === "firstlight/hardware.nix")?.content;
      if (profile?.kind === "component")
        for (const { id: part, text: module } of profile.nixos.modules)
          t.ok(
            sources.files.some(({ content }) => content.endsWith(module)),
            `${id}: ${part}`,
          );
      else t.match(text, profile?.title, `${id}: its name stands at the head`);
      for (const name of profile?.nixos.imports ?? [])
        t.match(text, `"/nix/store/hardware/${name}"`, `${id}: ${name}`);
      rendered.add(id);
    }
    t.same(left, [], "each is given to a machine of its tests");
    for (const { file } of folders)
      if (file.status.level !== "declared")
        t.ok(rendered.has(file.id), `${file.id} says that it ${file.status.level}`);
  },
);
