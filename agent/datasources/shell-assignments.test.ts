import { execFileSync } from "node:child_process";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import { readShellAssignments } from "./shell-assignments.ts";

const scripts: readonly string[] = [
  "A='one'\nB='two words'\n# said\n\nC='three\nlines\n'\n",
  "A='it'\\''s'\nB=\"it's \\\"it\\\" \\$5 \\\\ \\x\"\n",
  "A=plain\nB=\nC=''\nexport D='x'\nE='a' # said\nF=a#b\n",
  "A='$HOME `id` $(id)'\nB=a\\ b\\\nc\nC='#x'\nD=\"a\\\nb\"\n",
  "A='one'\r\nB='two'",
  "  A='one' ;\nA='again'\n",
];

t.test("assignments are read as sh reads them", async (t) => {
  for (const script of scripts) {
    const read = readShellAssignments(script);
    const variables = "variables" in read ? Object.fromEntries(read.variables) : read;
    const names = ["A", "B", "C", "D", "E", "F"];
    const print = names.map((name) => `printf '%s\\0' "\${${name}-unset}"`).join("\n");
    const [...said] = execFileSync("env", ["-i", "sh"], {
      ...{ input: `${script.replaceAll("\r\n", "\n")}\n${print}\n`, encoding: "utf8" },
    }).split("\0");
    const expected = names.flatMap((name, index) =>
      said[index] === "unset" ? [] : [[name, said[index]]],
    );
    t.same(variables, Object.fromEntries(expected), script);
  }
});

t.test("what sh would run or replace is a problem with its line", async (t) => {
  const wrong: Readonly<Record<string, RegExp>> = {
    ";": /only NAME/,
    "touch /tmp/canary": /only NAME/,
    "A=$HOME": /^A: /,
    'A="$HOME"': /^A: /,
    "A=`id`": /^A: /,
    "A='x'; touch canary": /^A: /,
    "A='x' touch canary": /^A: /,
    "A=(1 2)": /^A: /,
    "A='x": /^A: /,
    'A="x': /^A: /,
    "A=x>y": /^A: /,
    "1A='x'": /only NAME/,
  };
  for (const [script, problem] of Object.entries(wrong)) {
    const read = readShellAssignments(`B='x\ny'\n${script}`);
    t.match(read, { problem, line: 3 }, script);
  }
});

t.test(
  "whatever OpenNebula quotes is read as it was, and whatever comes is read or refused",
  async (t) => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,9}$/);
    const values = fc.dictionary(name, fc.string({ unit: "binary" }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(values, (given) => {
        const lines = Object.entries(given).map(
          ([key, value]) => `${key}='${value.replaceAll("'", "'\\''")}'\n`,
        );
        const read = readShellAssignments(lines.join(""));
        t.same("variables" in read && Object.fromEntries(read.variables), given);
      }),
      { numRuns: 50 },
    );
    const piece = fc.constantFrom(
      "A=",
      "'",
      '"',
      "\\",
      "$",
      "`",
      "\n",
      "#",
      ";",
      " ",
      "x",
      "export ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const read = readShellAssignments(pieces.join(""));
        return "variables" in read || read.line > 0;
      }),
    );
  },
);

t.test("a text without end is read in time", async (t) => {
  for (const text of [
    `A=${"a\\ ".repeat(100_000)}$`,
    `A="${"\\a".repeat(100_000)}`,
    `A=${"''".repeat(100_000)}`,
  ])
    t.type(readShellAssignments(text), "object");
});
