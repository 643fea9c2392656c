import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import type { Clause } from "#generated/provisioner/profiles/profile.ts";
import { lintProfiles } from "./lint.ts";
import { implies } from "./lint-shadows.ts";

/** A profile whose rule is its own name, or `match` of `more`. */
const profile = (id: string, more: string, level = "declared", evidence = "none") => `id: ${id}
title: ${id}
vendor: Acme
status: { level: ${level}, evidence: "${evidence}" }
${/^match:/m.test(more) ? "" : `match: { any: [{ all: { dmi: { sysVendor: Acme, productName: "${id}" } } }] }\n`}tests: { match: [{ name: it, facts: { dmi: { sysVendor: Acme, productName: "${id}" } } }], noMatch: [{ name: other, facts: {} }] }
${more}`;

function lint(root: string, files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, "p", path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, "p", name), text);
  }
  const options = { directory: "/p", today: "2026-11-28" };
  return lintProfiles(
    hostFiles(root, () => {}),
    options,
  ).map(formatFinding);
}

t.test("a module that gives a parameter another value is named, in heirs as well", async (t) => {
  const module = (setting: string) => `{ lib, ... }:\n{\n  boot.kernelParams = ${setting};\n}\n`;
  const lintWith = (setting: string) =>
    lint(t.testdir(), {
      "acme/one/profile.yaml": profile("acme/one", "kernel: { params: { a.b: 1, quiet: true } }\n"),
      "acme/one/module.nix": module(setting),
      "acme/two/profile.yaml": profile("acme/two", "extends: [acme/one]\n"),
    });
  t.match(lintWith('lib.optional (olderThan "6.6") "a.b=2"'), [
    /^acme\/one\/profile\.yaml:\d+:\d+ error kernel\.params\.a\.b: is 1 here and 2 in module\.nix of acme\/one/,
    /^acme\/two\/profile\.yaml:1:1 error kernel\.params\.a\.b: /,
  ]);
  t.match(lintWith('[ "quiet=no" ]'), [/is true here and no/, /is true here and no/]);
  for (const setting of ['lib.mkAfter [ "a.b=1" "quiet" ]', '[ "c=\\"a.b=2\\"" ]', "[ ]"])
    t.same(lintWith(setting), [], setting);
});

t.test("a quirk whose range holds nothing is named", async (t) => {
  const lintWith = (applies: string) =>
    lint(t.testdir(), {
      "acme/one/profile.yaml": profile(
        "acme/one",
        `kernel: { min: "6.1" }
quirks:
  - id: q
    effect: Something.
    applies: ${applies}
    sources: ["https://example.org"]
    added: "2026-01-01"
    reviewBy: "2028-01-01"
`,
      ),
    });
  const cases: readonly (readonly [string, RegExp | null])[] = [
    ['{ kernel: { from: "6.6", before: "6.10" } }', null],
    ['{ kernel: { before: "6.1" } }', null],
    ['{ firmware: { from: "3.5", before: "03.10" } }', null],
    [
      '{ kernel: { from: "6.10", before: "6.6" } }',
      /q is for no kernel: from 6\.10, and before 6\.6/,
    ],
    ['{ kernel: { from: "6.6", before: "6.6" } }', /q is for no kernel/],
    ['{ kernel: { before: "5.15" } }', /for kernels before 5\.15, and the profile asks for 6\.1/],
    ['{ firmware: { from: "3.10", before: "3.9" } }', /q is for no firmware/],
  ];
  for (const [applies, expected] of cases) {
    const found = lintWith(applies);
    if (expected === null) t.same(found, [], applies);
    else t.match(found, [expected], applies);
  }
});

t.test("a status that claims more than declared names evidence that is there", async (t) => {
  const lintWith = (level: string, evidence: string) =>
    lint(t.testdir({ "boot.test.ts": "", secret: "" }), {
      "acme/one/profile.yaml": profile("acme/one", "", level, evidence),
      "acme/one/fixtures/boot.json": "{}",
    });
  for (const [level, evidence] of [
    ["declared", "nothing at all"],
    ["evaluates", "boot.test.ts, by its name"],
    ["boots-emulated", "fixtures/boot.json of 2026-11-28"],
    ["certified", "https://example.org/report"],
  ] as const)
    t.same(lintWith(level, evidence), [], evidence);
  for (const evidence of ["trust me", "fixtures", "fixtures/none.json", "../secret", "https://"])
    t.match(
      lintWith("boots-emulated", evidence),
      [/status\.evidence: says boots-emulated, and there is no/],
      evidence,
    );
});

t.test("a clause that an heir takes all machines of is named", async (t) => {
  const found = lint(t.testdir(), {
    "acme/family/profile.yaml": profile(
      "acme/family",
      `match:
  any:
    - all: { dmi: { sysVendor: Acme, productName: "acme/family" } }
    - all: { dmi: { sysVendor: Acme, productFamily: Old, productName: "acme/model" } }
`,
    ),
    "acme/model/profile.yaml": profile("acme/model", "extends: [acme/family]\n"),
  });
  t.match(found, [/^acme\/family.*match\.any\.1: is never taken: acme\/model, which extends/]);
});

t.test("one clause implies another only where no machine tells them apart", async (t) => {
  const clause = (all: object, not?: object) => ({ all, ...(not && { not: [not] }) }) as Clause;
  const dmi = (productName: unknown, more: object = {}) =>
    clause({ dmi: { productName, ...more } });
  const cases: readonly (readonly [string, Clause, Clause, boolean])[] = [
    ["more conditions", dmi("A", { sysVendor: "V" }), dmi("A"), true],
    ["fewer conditions", dmi("A"), dmi("A", { sysVendor: "V" }), false],
    ["one of several", dmi("A"), dmi({ oneOf: ["A", "B"] }), true],
    ["several of one", dmi({ oneOf: ["A", "B"] }), dmi("A"), false],
    ["a text and its beginning", dmi("Alpha 1"), dmi({ prefix: "Alpha" }), true],
    ["a longer beginning", dmi({ prefix: "Alpha 1" }), dmi({ prefix: "Alpha" }), true],
    ["a shorter beginning", dmi({ prefix: "Alpha" }), dmi({ prefix: "Alpha 1" }), false],
    ["a device", clause({ pci: ["1:2"] }), clause({ pci: ["1:2", "1:3"] }), true],
    ["no device", dmi("A"), clause({ pci: ["1:2"] }), false],
    [
      "a processor",
      clause({ cpu: { vendor: "x", family: 6 } }),
      clause({ cpu: { vendor: "x" } }),
      true,
    ],
    ["another one", clause({ cpu: { vendor: "x" } }), clause({ cpu: { vendor: "y" } }), false],
    ["an exception", dmi("A"), clause({ dmi: { productName: "A" } }, { virt: ["kvm"] }), false],
  ];
  for (const [name, narrow, wide, expected] of cases)
    t.equal(implies(narrow, wide), expected, name);
});
