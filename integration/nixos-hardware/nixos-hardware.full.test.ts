import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { hostIo } from "#core/host-io.ts";
import { skipWithoutOptions } from "#provisioner/nixos-options/rendered.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { readClosure } from "../../tools/nixos-hardware/checkout.ts";
import { skipWithoutNix } from "../nix-eval.ts";
import { libTree, nixosHardwareTree } from "../nixpkgs-trees.ts";
import {
  type Configuration,
  declared,
  profilesOf,
  type WriteOptions,
  writeConfiguration,
} from "./configurations.ts";
import { evaluateAll, type Verdict } from "./evaluate.ts";

t.setTimeout(3_600_000);
const skip = skipWithoutNix() || skipWithoutOptions;
const only = process.env["HARDWARE_MODULE"];
const root = new URL("../..", import.meta.url).pathname;
const page = new URL("../../docs/nixos-hardware.md", import.meta.url);

const power = ["services.power-profiles-daemon.enable", "services.tlp.enable"] as const;
const prime = "hardware.nvidia.prime.nvidiaBusId";
const wanted = [...power, prime];
const modules = (declared?.modules ?? []).filter((name) => (only ?? name) === name);
if (modules.length === 0) t.fail(`HARDWARE_MODULE: expected a module's path, got ${only}`);

t.test("each module has a machine whose system imports it", async (t) => {
  const found = configurations(t.testdir({}), modules);
  t.same(
    modules.filter((name) => !found.some(({ module }) => module === name)),
    [],
  );
  for (const { module, profile, entry } of found) {
    const texts = ["machine.nix", "firstlight/hardware.nix"].map((name) =>
      readFileSync(path.join(path.dirname(entry), name), "utf8"),
    );
    t.match(texts.join("\n"), new RegExp(`/${module}[" ]`), `${module} on ${profile}`);
  }
});

if (nixosHardwareTree === undefined || libTree === undefined)
  t.comment(
    "SKIPPED: each module of nixos-hardware on what is rendered (name its checkout in NIXOS_HARDWARE and a lib in NIXPKGS_LIB)",
  );
else {
  const judge = { lib: libTree, checkout: nixosHardwareTree, wanted };
  if (modules.length === 0) t.fail(`HARDWARE_MODULE: expected a module's path, got ${only}`);

  t.test("each module evaluates on what is rendered for its machine", { skip }, async (t) => {
    const verdicts = evaluateAll(configurations(t.testdir({}), modules), judge);
    const refused = [...verdicts].flatMap(([{ module, profile }, verdict]) =>
      verdict.fits ? [] : [{ module, profile, why: verdict.why }],
    );
    const names = [...new Set(refused.map(({ module }) => module))];
    for (const { module, profile, why } of refused) t.comment(`${module} on ${profile}: ${why}`);
    const claimed = new Set(declared?.profiles.map(({ id }) => id));
    t.equal(declared?.evaluatedBy, import.meta.filename.slice(root.length));
    t.same(
      refused.filter(({ profile }) => claimed.has(profile)),
      [],
      "every declared profile says that it evaluates, and does",
    );
    const fit = modules.length - names.length;
    t.comment(`${fit} of ${modules.length} modules evaluate, ${verdicts.size} configurations`);
    if (only !== undefined) return t.same(refused, []);

    t.ok(fit >= 0.95 * modules.length, `${fit} of ${modules.length}`);
    const framework = modules.filter((name) => name.startsWith("framework/"));
    t.ok(framework.length >= 12, `${framework.length} of Framework`);
    t.same(
      names.filter((name) => framework.includes(name)),
      [],
    );
    t.same(clashes(refused), [], "no value of ours meets another one of theirs");
    if (revisionOf(judge.checkout) === declared?.revision)
      t.same(names.sort(), listedModules(), "the page lists those that do not, with the reason");
    else t.comment("the checkout is not of the revision that the page is about");
    checkValues(t, verdicts);
  });

  t.test("no profile made by hand imports a kernel that its machine would build", async (t) => {
    const { compiled } = compileHandMade(hostIo({ root }).files, "/hardware-profiles");
    const imports = new Set(compiled.profiles.flatMap(({ nixos }) => nixos.imports));
    t.ok(imports.size >= 10, `${imports.size} modules`);
    const own = /\bbuildLinux\b|\blinuxManualConfig\b|\blinuxPackagesFor\b/;
    for (const name of imports) t.notMatch(readClosure(judge.checkout, name), own, name);
    for (const board of ["raspberry-pi/4", "raspberry-pi/5"])
      t.match(
        readClosure(judge.checkout, board),
        own,
        `${board} has one, so that it is not imported`,
      );
  });

  const owners = [
    ["wants no firmware that is not free", { "hardware.enableRedistributableFirmware": false }],
    ["saves power with TLP", { "services.tlp.enable": true, [power[0]]: false }],
  ] as const;
  for (const [who, options] of owners)
    t.test(`so does each of Framework for an owner who ${who}`, { skip }, async (t) => {
      const framework = modules.filter((name) => name.startsWith("framework/"));
      const spec = { options };
      const verdicts = evaluateAll(configurations(t.testdir({}), framework, { spec }), judge);
      for (const [{ module }, verdict] of verdicts) t.match(verdict, { fits: true }, module);
    });

  t.test("two different defaults are told", { skip }, async (t) => {
    const directory = t.testdir({
      "clash.nix": `{ lib, ... }: {
  imports = [ { services.fwupd.enable = lib.mkDefault false; } ];
  services.fwupd.enable = lib.mkDefault true;
}`,
      "kind.nix": `{ services.fwupd.enable = "yes"; }`,
      "unknown.nix": `{ services.fwudp.enable = true; }`,
      "fits.nix": `{ pkgs, ... }: { environment.systemPackages = [ pkgs.fwupd ]; }`,
    });
    const found = ["clash", "kind", "unknown", "fits"].map((module) => ({
      module,
      profile: "none",
      system: "x86_64-linux",
      entry: path.join(directory, `${module}.nix`),
    }));
    const told = [...evaluateAll(found, judge).values()];
    t.match(
      found.map((each) => evaluateAll([each], judge).get(each)),
      [
        { fits: false, why: /conflicting definition values/ },
        { fits: false, why: /is not of type `boolean'/ },
        { fits: false, why: /does not exist/ },
        { fits: true, options: 2 },
      ],
    );
    t.equal(told.filter(({ fits }) => fits).length, 1, "the same where all are in one process");
  });
}

/** What is rendered for every machine of these modules. */
function configurations(
  directory: string,
  modules: readonly string[],
  options: Pick<WriteOptions, "spec"> = {},
): readonly Configuration[] {
  const checkout = nixosHardwareTree ?? "/nix/store/nixos-hardware";
  return modules.flatMap((module) => {
    const text = readClosure(checkout, module);
    const write = { checkout, directory, text, ...options };
    return profilesOf(module).map((profile) => writeConfiguration(module, profile, write));
  });
}

function clashes(refused: readonly { readonly why: string }[]) {
  return refused.filter(({ why }) => /conflicting|defined multiple times/.test(why));
}

/** Never two that save power, and the addresses of the machine instead of those of an example. */
function checkValues(t: Test, verdicts: ReadonlyMap<Configuration, Verdict>): void {
  const withExample: unknown[] = [];
  for (const [{ module, profile }, verdict] of verdicts) {
    if (!verdict.fits) continue;
    const savers = power.filter((name) => verdict.values[name] === true);
    t.ok(savers.length < 2, `${module} on ${profile}: ${savers.join(", ")}`);
    if (profile === "framework/16-amd-ai-300-rtx-5070" && module.endsWith("/nvidia"))
      withExample.push(verdict.values[prime]);
  }
  t.same(withExample, ["PCI:193:0:0"], "the recorded machine's own");
}

/** The empty text for a tree that is no repository. */
function revisionOf(checkout: string): string {
  const git = ["-C", checkout, "rev-parse", "HEAD"];
  return spawnSync("git", git, { encoding: "utf8" }).stdout.trim();
}

/** The modules in the page's table. */
function listedModules(): readonly string[] {
  const [, part = ""] = readFileSync(page, "utf8").split("## Which modules evaluate");
  return [...part.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name).sort();
}
