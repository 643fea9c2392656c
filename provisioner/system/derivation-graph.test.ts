import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { planBuilds } from "./derivation-graph.ts";

const drv = (name: string) => `/nix/store/${name}.drv`;

/** A derivation with inputs, in Nix's own notation, with a text that only looks like an input. */
function notation(inputs: readonly string[]): string {
  const list = inputs.map((name) => `("${drv(name)}",["out","dev"])`).join(",");
  const env = `("script","x (\\"${drv("quoted")}\\",[\\"out\\"])")`;
  return `Derive([("out","/nix/store/x","","")],[${list}],["/nix/store/src"],"x86_64-linux","/bin/sh",[],[${env}])`;
}

function store(t: { testdir(): string }, graph: Readonly<Record<string, string>>) {
  const root = t.testdir();
  mkdirSync(path.join(root, "nix/store"), { recursive: true });
  for (const [name, text] of Object.entries(graph)) {
    writeFileSync(path.join(root, drv(name)), text);
  }
  return hostFiles(root, () => {});
}

function edges(files: ReturnType<typeof hostFiles>, names: readonly string[]) {
  const planned = planBuilds(files, drv("system"), names.map(drv));
  const short = (file: string | null) => file?.replace(/^.*\/|\.drv$/g, "") ?? null;
  return planned.map(({ derivation, neededBy }) => [short(derivation), short(neededBy)]);
}

t.test("each build hangs on the one nearest to the system that needs it", async (t) => {
  const files = store(t, {
    system: notation(["etc", "initrd", "built-already"]),
    etc: notation(["unit", "quoted-not"]),
    initrd: notation(["etc", "unit"]),
    unit: notation([]),
    quoted: notation([]),
  });
  t.strictSame(edges(files, ["unit", "etc", "initrd", "system", "quoted"]), [
    ["unit", "etc"],
    ["etc", "system"],
    ["initrd", "system"],
    ["system", null],
    ["quoted", "system"],
  ]);
});

t.test("inputs that are computed while building are found as well", async (t) => {
  const files = store(t, {
    system: `DrvWithVersion("xp-dyn-drv",[],[("${drv("etc")}",(["out"],[]))],[])`,
  });
  t.strictSame(edges(files, ["etc"]), [["etc", "system"]]);
});

t.test("circles, directories and what is not there are no hindrance", async (t) => {
  const files = store(t, { system: notation(["a"]), a: notation(["b"]), b: notation(["a"]) });
  mkdirSync(path.join(files.root, drv("c")));
  t.strictSame(edges(files, ["a", "b", "c", "d"]), [
    ["a", "system"],
    ["b", "a"],
    ["c", "system"],
    ["d", "system"],
  ]);
});
