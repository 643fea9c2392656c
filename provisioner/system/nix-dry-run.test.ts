import t from "tap";
import { fc } from "#core/fast-check.ts";
import { noNeed, parseDryRun } from "./nix-dry-run.ts";

const a = "/nix/store/9fbx0gx358ndmgb9i29dcas2q28bvd8w-a.drv";
const b = "/nix/store/r15n1b0dlh7agbw1hcscfx4zxh4ahvp6-b.drv";
const c = "/nix/store/lp4zlkqmsqdvbwh8ayylias4626ms814-c";
const mebi = 1024 * 1024;

const cases = [
  { name: "nothing", text: "", need: noNeed },
  {
    name: "one and one, as Nix 2.8 says it",
    text: `this derivation will be built:\n  ${a}\nthis path will be fetched (1.50 MiB download, 4.00 MiB unpacked):\n  ${c}\n`,
    need: {
      ...noNeed,
      builds: [a],
      fetches: [c],
      downloadBytes: 1.5 * mebi,
      unpackedBytes: 4 * mebi,
    },
  },
  {
    name: "several, as Nix before 2.4 and Lix say it, in colours",
    text: `\u001b[1mthese derivations will be built:\u001b[0m\n  ${a}\n  ${b}\nthese paths will be fetched (0.00 MiB download, 0.00 MiB unpacked):\n  ${c}\n`,
    need: { ...noNeed, builds: [a, b], fetches: [c] },
  },
  {
    name: "numbers and other units, as Nix 2.31 says it",
    text: `warning: something\nthese 2 derivations will be built:\n  ${a}\n  ${b}\nthese 1 paths will be fetched (39.5 KiB download, 1.25 GiB unpacked):\n  ${c}\n`,
    need: {
      ...noNeed,
      builds: [a, b],
      fetches: [c],
      downloadBytes: 39.5 * 1024,
      unpackedBytes: 1.25 * 1024 * mebi,
    },
  },
  {
    name: "paths that nobody has",
    text: `don't know how to build these paths:\n  ${c}\n`,
    need: { ...noNeed, unknown: [c] },
  },
  {
    name: "lines that belong to no list",
    text: `something else:\n  ${c}\nthis derivation will be built:\n  ${a}\nwarning: x\n  ${b}\n`,
    need: { ...noNeed, builds: [a] },
  },
];

for (const { name, text, need } of cases) {
  t.test(`a dry run that needs ${name} is read`, async (t) => {
    t.strictSame(parseDryRun(text), need);
  });
}

t.test("whatever is read, sizes are sizes and paths are paths", async () => {
  const piece = fc.constantFrom(
    "these will be built:",
    "this will be fetched (",
    "9e999 MiB download",
    "1.2.3 GiB unpacked",
    "99999999999999999999999999 TiB unpacked",
    "\n",
    `  ${a}`,
    "  /x y",
    ":",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
      const need = parseDryRun(pieces.join(""));
      const sizes = [need.downloadBytes, need.unpackedBytes];
      return (
        sizes.every((size) => Number.isFinite(size) && size >= 0) &&
        [...need.builds, ...need.fetches, ...need.unknown].every((path) => /^\/\S+$/.test(path))
      );
    }),
  );
});
