import t from "tap";
import type { ExecResult } from "#core/io.ts";
import type { CommandLine } from "./command-lines.ts";
import { readStoreObjects } from "./store-objects.ts";

const path = (name: string) => `/nix/store/${"0".repeat(32)}-${name}`;
const lines = {
  requisites: (system: string): CommandLine => ({ argv: ["requisites", system], timeoutMs: 1 }),
  sizes: (paths: readonly string[]): CommandLine => ({ argv: ["sizes", ...paths], timeoutMs: 1 }),
};

/** A store that answers with these lines, and counts what it was asked. */
function store(answers: Readonly<Record<string, string>>, size: (path: string) => string) {
  const asked: string[] = [];
  const run = async ({ argv }: CommandLine): Promise<ExecResult> => {
    const [what, ...paths] = argv;
    asked.push(`${what} ${paths.length}`);
    const stdout = what === "sizes" ? paths.map(size).join("") : (answers[paths[0] ?? ""] ?? "");
    const code = what === "requisites" && answers[paths[0] ?? ""] === undefined ? 1 : 0;
    const stderr = code === 0 ? "" : "error: path is not valid\n";
    return { code, signal: null, stdout, stderr, timedOut: false, aborted: false, ms: 1 };
  };
  return { asked, run };
}

const one = `${path("a")}\n${path("one")}\n`;
const two = `${path("a")}\n${path("two")}\n`;

t.test("each closure has its paths, and each path is asked once for its size", async (t) => {
  const { asked, run } = store({ one, two }, (each) => `${each.length}\n`);
  const objects = await readStoreObjects(["one", "two"], lines, run);
  const object = (name: string) => ({ path: path(name), bytes: path(name).length });
  t.strictSame(objects, [
    [object("a"), object("one")],
    [object("a"), object("two")],
  ]);
  t.strictSame(asked, ["requisites 1", "requisites 1", "sizes 3"]);
});

t.test("a closure of many paths is asked for in parts that a process can take", async (t) => {
  const many = Array.from({ length: 12_000 }, (_, n) => path(`many-${n}`));
  const { asked, run } = store({ many: many.join("\n") }, () => "7\n");
  const [objects = []] = await readStoreObjects(["many"], lines, run);
  t.equal(objects.length, 12_000);
  t.ok(objects.every(({ bytes }) => bytes === 7));
  t.strictSame(asked.slice(1), ["sizes 5000", "sizes 5000", "sizes 2000"]);
});

const unbelievable = {
  "of another number": "1\n1\n",
  "that are none": "1 KiB\n",
  "that are missing": "",
};

for (const [what, size] of Object.entries(unbelievable)) {
  t.test(`sizes ${what} are not believed`, async (t) => {
    const { run } = store({ one }, () => size);
    await t.rejects(readStoreObjects(["one"], lines, run), {
      code: "system/nix-failed",
      message: /^expected 2 sizes, got [0-9]/,
    });
  });
}

t.test("a system that is not there is a fault of Nix", async (t) => {
  const { run } = store({}, () => "1\n");
  const fault = { code: "system/nix-failed", message: /not valid/ };
  await t.rejects(readStoreObjects(["gone"], lines, run), fault);
});
