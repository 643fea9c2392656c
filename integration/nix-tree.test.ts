// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import { readFileSync } from "node:fs";
import t from "tap";
import { type DefinedOption, definedOptions } from "#provisioner/nix-language/defined-options.ts";
import { goldenCases } from "#provisioner/nix-language/golden.ts";
import { print } from "#provisioner/nix-language/print.ts";
import {
  checkOptions,
  loadOptionList,
  type OptionProblem,
} from "#provisioner/nixos-options/option-list.ts";
import { skipWithoutNix } from "./nix-eval.ts";
import { treeOfNix } from "./nix-tree.ts";

const skip = skipWithoutNix();

function shown({ path, kind, text, elements }: DefinedOption): string {
  const inside = elements?.map((element) => element.map(shown).join(" ")) ?? [];
  return JSON.stringify([path, kind, text, inside]);
}

/** Nix shows negative numbers as subtractions, and texts that begin with an expression as sums. */
const readBack = goldenCases.filter(({ name }) => !["values", "interpolation"].includes(name));

for (const { name, expr } of readBack) {
  t.test(`what Nix reads in golden/${name}.nix is what was printed`, { skip }, async (t) => {
    const read = definedOptions(treeOfNix(print(expr)));
    t.same(read.map(shown).sort(), definedOptions(expr).map(shown).sort());
  });
}

t.test("modules written by hand are read", { skip }, async (t) => {
  const text = `
{ config, lib, pkgs, port ? 80, ... }@args:
let
  cfg = config.services.x;
  inherit (lib) mkIf;
in
{
  options.services.x.enable = lib.mkEnableOption "x";
  config = mkIf (cfg.enable && !cfg.broken) {
    networking.firewall.allowedTCPPorts = [ 22 ] ++ lib.optional (port != 80) port;
    environment.systemPackages = with pkgs; [ vim (git.override { x = -1; }) ];
    environment.etc.\${cfg.file}.text = assert port > 0; "a \${cfg.file} b";
    systemd.services = lib.mapAttrs (name: value: { inherit (value) script; }) cfg.jobs;
    users.users.alice = { name, ... }: { uid = args.uid or 1000; };
  };
}`;
  t.same(
    definedOptions(treeOfNix(text)).map(({ path, kind }) => `${path.join(".")}:${kind}`),
    [
      "environment.etc.dynamic.text:string",
      "environment.systemPackages:list",
      "networking.firewall.allowedTCPPorts:list",
      "networking.firewall.allowedTCPPorts:list",
      "systemd.services:unknown",
      "users.users.alice:function",
    ],
  );
});

t.test("what is not Nix is refused with Nix's words", { skip }, async (t) => {
  t.throws(() => treeOfNix("{ a = ; }"), /nix could not parse: .*syntax error/s);
});

/** Options below a computed name, and every other problem. */
function partition(
  problems: readonly OptionProblem[],
): readonly [computed: readonly string[], rest: readonly OptionProblem[]] {
  const isComputed = ({ option }: OptionProblem) => option.startsWith("systemd.dynamic.");
  return [
    problems.filter(isComputed).map(({ option }) => option),
    problems.filter((problem) => !isComputed(problem)),
  ];
}

const options = loadOptionList();
const skipList = skip || (options === undefined ? "the option list is not on this machine" : false);

for (const file of ["nixos/module.nix", "templates/docker-host/default.nix"]) {
  t.test(
    `${file} sets only options of NixOS, with values that fit`,
    { skip: skipList },
    async (t) => {
      if (options === undefined) return;
      const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
      t.ok(definedOptions(treeOfNix(text)).length > 5, "options are found");
      const [computed, rest] = partition(checkOptions([{ file, expr: treeOfNix(text) }], options));
      t.same(rest, []);
      // Of a name that depends on the release, one of those that it may be has to be an option's.
      for (const option of computed) {
        const asOne = ["settings", "watchdog"].map((name) => {
          const literal = `{ config.${option.replace("dynamic", name)} = "60s"; }`;
          return checkOptions([{ file, expr: treeOfNix(literal) }], options);
        });
        t.ok(
          asOne.some((problems) => problems.length === 0),
          option,
        );
      }
      const misspelt = text
        .replace("systemPackages", "systemPackage")
        .replace("enable = true", "enable = 1");
      t.match(
        partition(checkOptions([{ file, expr: treeOfNix(misspelt) }], options))[1].map(
          ({ message }) => message,
        ),
        [/systemPackage is none; near: systemPackages/],
      );
    },
  );
}
