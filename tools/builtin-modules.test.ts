import t from "tap";
import { takeBuiltins } from "./builtin-modules.ts";

t.test("Node's modules are taken without an import, each in its line", async (t) => {
  const take = (module: string) => `process.getBuiltinModule("node:${module}")`;
  const cases = [
    ['import path from "node:path";', `const path = ${take("path")};`],
    ['import * as fs from "node:fs";', `const fs = ${take("fs")};`],
    [
      'import { a, b as b$1 } from "node:fs/promises";',
      `const { a, b: b$1 } = ${take("fs/promises")};`,
    ],
    [
      'import path, { posix } from "node:path";',
      `const path = ${take("path")}, { posix } = ${take("path")};`,
    ],
    ['import "node:path";', 'import "node:path";'],
    ['import { a } from "./chunk.js";', 'import { a } from "./chunk.js";'],
  ] as const;
  for (const [line, taken] of cases) {
    t.equal(takeBuiltins(line), taken);
    t.equal(
      takeBuiltins(`#!/x\n\n//#region y\n${line}\ncode();`),
      `#!/x\n\n//#region y\n${taken}\ncode();`,
    );
  }
});

t.test("text that only looks like an import stays", async (t) => {
  const code = 'const text = `\nimport path from "node:path";\n`;';
  t.equal(takeBuiltins(code), code);
});
