import path from "node:path";
import t from "tap";
import { hasErrors } from "#core/finding.ts";
import { printedModules } from "#provisioner/nixos-options/rendered.ts";
import type { Base } from "#provisioner/render/base.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "../nix-machine.ts";
import { libTree, nixpkgsRelease, nixpkgsTree, systemOf } from "../nixpkgs-trees.ts";
import { complaintsAbout, writeRendered } from "../render-check.ts";
import {
  absent,
  networkConfigs,
  type RecordedDocument,
  type RecordedVerdict,
  readLines,
} from "./cloud-config-set.ts";
import { translateConfig, translateNetwork } from "./translate-recorded.ts";

const documents = "cloud-config/documents.jsonl";
const verdicts = "cloud-config/schema-verdicts.jsonl";
const skip = absent(documents, verdicts, "network") || skipWithoutNix();
t.setTimeout(3_600_000);
if (nixpkgsTree === undefined)
  t.comment(
    "SKIPPED: the recorded documents as systems of NixOS (name a tree of nixpkgs in NIXPKGS)",
  );

/** How many systems one process of Nix evaluates: each takes about a hundred megabytes of it. */
const perProcess = 8;

const base: Partial<Base> = {
  platform: {
    fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] }],
    ...{ swaps: [], left: [], bootLoader: "systemd-boot", esp: "/boot" },
  },
};

/** Each rendering of a recorded document once, by the first one that comes to it, and how many do. */
function recordedSystems(): {
  readonly systems: ReadonlyMap<string, Sources>;
  readonly count: number;
} {
  const translations: (readonly [name: string, translation: Translation])[] = [
    ...readLines<RecordedDocument>(documents)
      .filter(({ parses }) => parses)
      .map(({ id, text }) => [id, translateConfig(text)] as const),
    ...readLines<RecordedVerdict>(verdicts).map(
      ({ config }, index) =>
        [`verdict ${index + 1}`, translateConfig(JSON.stringify(config))] as const,
    ),
    ...networkConfigs().map(([name, text]) => [name, translateNetwork(name, text)] as const),
  ];
  const seen = new Set<string>();
  const systems = new Map<string, Sources>();
  let count = 0;
  for (const [name, { spec, origins, findings }] of translations) {
    if (hasErrors(findings)) continue;
    const rendered = tryRender(spec, { origins, base });
    if (hasErrors(rendered.findings)) continue;
    count += 1;
    const text = JSON.stringify(
      printedModules(rendered.sources.files).filter(({ path: file }) => !/generation/.test(file)),
    );
    if (seen.has(text)) continue;
    seen.add(text);
    systems.set(name, rendered.sources);
  }
  return { systems, count };
}

/** What NixOS makes of a rendering; `value` where it makes a system of it. */
interface Evaluated {
  readonly success: boolean;
  readonly value: {
    readonly options: readonly string[];
    readonly failed: readonly string[];
    readonly system: string;
  };
}

/** What Nix makes of renderings, or what it says where it ends over one of them. */
async function evaluate(
  machine: NixMachine,
  entries: readonly string[],
): Promise<readonly Evaluated[] | string> {
  const said = path.join(import.meta.dirname, "../real-nixpkgs/said.nix");
  const lib = libTree ?? path.join(nixpkgsTree ?? "", "lib");
  const expression = `import ${said} { lib = import ${lib}; evaluate = entry: ${systemOf("entry")}; entries = [ ${entries.join(" ")} ]; }`;
  return await instantiate(machine, ["--json", "--strict", "--expr", expression]);
}

/** Why one rendering is no system, in Nix's own words: what it can catch it does not tell. */
async function complaintAbout(machine: NixMachine, entry: string): Promise<string> {
  const answers = await evaluate(machine, [entry]);
  if (typeof answers === "string") return answers;
  const expression = `builtins.toJSON (${systemOf(entry)}).config.system.build.toplevel.drvPath`;
  const answer = await instantiate(machine, ["--json", "--expr", expression]);
  return typeof answer === "string" ? answer : "one of its options cannot be evaluated";
}

async function instantiate(
  machine: NixMachine,
  args: readonly string[],
): Promise<readonly Evaluated[] | string> {
  const { code, stdout, stderr } = await machine.run(
    ["nix-instantiate", "--eval", "--read-write-mode", ...args],
    { timeoutMs: 900_000 },
  );
  if (code === 0) return JSON.parse(stdout) as readonly Evaluated[];
  const lines = stderr.split("\n").filter((line) => !/^(?:trace|warning):|^\s*$/.test(line));
  return lines.join("\n");
}

/** Why a rendering may be no system here, by Nix's words, and before which release of NixOS that is so (`null`: ever). */
const reasons: readonly (readonly [words: RegExp, until: string | null, reason: string])[] = [
  [
    /wg-quick\.interfaces\..*configFile' does not exist/,
    "22.11",
    "an interface that a file says whole, as a newer NixOS has it",
  ],
  [
    /You can not use nftables with services\.networking\.firewall/,
    "23.05",
    "a firewall by nftables, which a newer NixOS has",
  ],
  [
    /attribute '[^']+' missing[\s\S]*pkgs\./,
    null,
    "a package that the document names and this nixpkgs has not",
  ],
  [
    /has an unfree license/,
    null,
    "a package that is not free, which its owner would have to allow",
  ],
  [
    /The option `systemd\.network\.networks\..*\.routes\..*' does not exist/,
    "24.11",
    "routes as a newer NixOS has them",
  ],
  [/linkConfig' is not of type/, "21.11", "a setting of networkd that is newer"],
];

function reasonFor(complaint: string): string | undefined {
  const release = nixpkgsRelease(nixpkgsTree ?? "");
  const found = reasons.find(
    ([words, until]) => (until === null || release < until) && words.test(complaint),
  );
  return found?.[2];
}

t.test("each recorded document is Nix, of options that NixOS has", { skip }, async (t) => {
  const { systems, count } = recordedSystems();
  t.ok(count > 300 && systems.size > 100, `${systems.size} renderings of ${count} documents`);
  for (const [name, sources] of systems) t.same(complaintsAbout(sources), [], name);
});

if (nixpkgsTree !== undefined)
  t.test(
    "each recorded document is a system of NixOS, with all that it says",
    { skip },
    async (t) => {
      const machine = await nixMachine(t);
      const directory = t.testdir();
      const { systems, count } = recordedSystems();
      const all = [...systems].map(([name, sources], index) => {
        const entry = writeRendered(path.join(directory, String(index)), sources);
        return { name, entry };
      });
      const options = new Set<string>();
      const left: string[] = [];
      for (let from = 0; from < all.length; from += perProcess) {
        const some = all.slice(from, from + perProcess);
        const answers = await evaluate(
          machine,
          some.map(({ entry }) => entry),
        );
        for (const [index, { name, entry }] of some.entries()) {
          const own = typeof answers === "string" ? await evaluate(machine, [entry]) : answers;
          const answer = typeof own === "string" ? undefined : own[own === answers ? index : 0];
          if (answer?.success === true) {
            t.match(answer.value, { failed: [], system: /nixos-system-.*\.drv$/ }, name);
            t.same(answer.value.failed, [], name);
            for (const option of answer.value.options) options.add(option);
            continue;
          }
          const complaint = typeof own === "string" ? own : await complaintAbout(machine, entry);
          const reason = reasonFor(complaint);
          t.ok(reason, `${name}: ${complaint}`);
          left.push(`${name}: ${reason}`);
        }
      }
      const whole = all.length - left.length;
      t.comment(
        `${whole} of ${all.length} systems, of ${count} documents; ${options.size} options`,
      );
      for (const each of left) t.comment(`left out: ${each}`);
      t.ok(whole > left.length, "most of them are");
      t.ok(options.size > 40, "of many options");
    },
  );
