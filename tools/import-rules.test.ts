import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";

// The rules themselves are in biome.json; this shows that Biome enforces each of them, for each
// way to write an import, on a tree that has nothing but the import.

const repository = join(import.meta.dirname, "..");
const rooms = [
  "agent",
  "bench",
  "cli",
  "core",
  "demo",
  "fleet",
  "integration",
  "protocol",
  "provisioner",
  "tools",
] as const;
type Room = (typeof rooms)[number];

/** Rooms that are held to rules, and the others that each may use. */
const allowed: Partial<Record<Room, readonly Room[]>> = {
  core: [],
  provisioner: ["core"],
  protocol: ["core"],
  agent: ["core", "protocol", "provisioner"],
  fleet: ["core", "protocol", "provisioner"],
};

/** The ways to reach another room. */
const forms: Readonly<Record<string, (room: string) => string>> = {
  static: (room) => `import { thing } from "#${room}/thing.ts";\nconsole.log(thing);\n`,
  "type-only": (room) =>
    `import type { Thing } from "#${room}/thing.ts";\nexport const thing: Thing = 1;\n`,
  "side effect": (room) => `import "#${room}/thing.ts";\n`,
  "export from": (room) => `export { thing } from "#${room}/thing.ts";\n`,
  dynamic: (room) => `console.log(await import("#${room}/thing.ts"));\n`,
  "generated code": (room) =>
    `import { validate } from "#generated/${room}/deep/thing.validate.js";\nconsole.log(validate);\n`,
};
const relativeForms: Readonly<Record<string, (room: string) => string>> = {
  relative: (room) => `import { thing } from "../../${room}/thing.ts";\nconsole.log(thing);\n`,
  "relative, from a deeper place": (room) =>
    `import { thing } from "../../../${room}/deep/thing.ts";\nconsole.log(thing);\n`,
  "relative, written oddly": (room) =>
    `import { thing } from "./../../${room}/thing.ts";\nconsole.log(thing);\n`,
  "through a room that is allowed": (room) =>
    `import { thing } from "#core/../${room}/thing.ts";\nconsole.log(thing);\n`,
};
const typeForms: Readonly<Record<string, (room: string) => string>> = {
  "import type in place": (room) =>
    `export type Thing = import("#${room}/thing.ts").Thing;\nexport const thing: Thing = 1;\n`,
  "typeof import": (room) => `export type Thing = typeof import("#${room}/thing.ts");\n`,
};

interface Case {
  readonly file: string;
  readonly text: string;
}

/**
 * Lints a tree with these files; returns those that broke an import rule. The tree is outside the
 * repository, whose own ignored folders Biome would not look into.
 */
function refused(t: Test, cases: readonly Case[]): Set<string> {
  const directory = mkdtempSync(join(tmpdir(), "import-rules-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  cpSync(join(repository, "biome.json"), join(directory, "biome.json"));
  cpSync(
    join(repository, "tools/no-import-types.grit"),
    join(directory, "tools/no-import-types.grit"),
  );
  symlinkSync(join(repository, "node_modules"), join(directory, "node_modules"));
  for (const { file, text } of cases) {
    mkdirSync(join(directory, file, ".."), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return new Set(ruleBreakers(directory, ["--error-on-warnings"]));
}

/** Paths of the files below `directory` in which Biome finds a broken import rule. */
function ruleBreakers(directory: string, flags: readonly string[]): readonly string[] {
  const run = spawnSync(
    join(repository, "node_modules/.bin/biome"),
    ["lint", "--reporter=json", "--max-diagnostics=none", ...flags],
    { cwd: directory, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const { diagnostics } = JSON.parse(run.stdout) as {
    readonly diagnostics: readonly { category: string; location: { path: string } }[];
  };
  return diagnostics
    .filter(
      ({ category }) => category === "lint/style/noRestrictedImports" || category === "plugin",
    )
    .map(({ location }) => location.path);
}

function casesOf(
  ways: Readonly<Record<string, (room: string) => string>>,
  wanted: (from: Room, to: Room) => boolean,
): Record<string, Case> {
  const cases: Record<string, Case> = {};
  for (const from of rooms) {
    for (const to of rooms) {
      if (from === to || !wanted(from, to)) continue;
      for (const [way, text] of Object.entries(ways)) {
        const name = `${from} -> ${to}, ${way}`;
        const file = `${from}/deep/${to}-${way.replaceAll(/\W+/g, "-")}.ts`;
        cases[name] = { file, text: text(to) };
      }
    }
  }
  return cases;
}

const mayUse = (from: Room, to: Room) => allowed[from]?.includes(to) ?? true;

t.test("imports that the rules forbid are refused, however they are written", (t) => {
  const forbidden = casesOf(
    { ...forms, ...relativeForms, ...typeForms },
    (from, to) => !mayUse(from, to),
  );
  t.ok(Object.keys(forbidden).length > 300, "each pair of rooms is tried");
  const found = refused(t, Object.values(forbidden));
  for (const [name, { file }] of Object.entries(forbidden)) t.ok(found.has(file), name);
  t.end();
});

t.test("imports that the rules allow pass", (t) => {
  const permitted = casesOf(forms, mayUse);
  const found = refused(t, Object.values(permitted));
  for (const [name, { file }] of Object.entries(permitted)) t.notOk(found.has(file), name);
  t.end();
});

t.test("a room in the rules reaches an allowed room by its name, not by a relative path", (t) => {
  const cases = casesOf(
    { relative: (room) => `export { thing } from "../../${room}/thing.ts";\n` },
    (from, to) => allowed[from]?.includes(to) ?? false,
  );
  const found = refused(t, Object.values(cases));
  for (const [name, { file }] of Object.entries(cases)) t.ok(found.has(file), name);
  t.end();
});

t.test("protocol sees the types of the spec and nothing else of the provisioner", (t) => {
  const types = `import type { Spec } from "#generated/provisioner/spec/v1.ts";\nexport const spec: Spec = {};\n`;
  const validator = `import { validate } from "#generated/provisioner/spec/v1.validate.js";\nconsole.log(validate);\n`;
  const other = `import type { Facts } from "#generated/provisioner/facts/facts.ts";\nexport const facts: Facts = {};\n`;
  const found = refused(t, [
    { file: "protocol/types.ts", text: types },
    { file: "protocol/validator.ts", text: validator },
    { file: "protocol/other.ts", text: other },
  ]);
  t.same([...found].sort(), ["protocol/other.ts", "protocol/validator.ts"]);
  t.end();
});

t.test("this repository keeps its import rules", (t) => {
  t.same(ruleBreakers(repository, ["--only=style/noRestrictedImports"]), []);
  t.end();
});
