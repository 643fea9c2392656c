import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import t from "tap";

const end = path.join(import.meta.dirname, "end-process.ts");
/** A program that says whether Node ended it because there was nothing left to do. */
const program = (text: string) => [
  "--input-type=module",
  "--eval",
  `import { endProcess } from ${JSON.stringify(end)};
process.on("beforeExit", () => console.log("by itself"));
${text}`,
];

t.test("a program that is done ends at once, with its code", (t) => {
  const argv = program('console.log("said"); console.error("told"); endProcess(3);');
  t.match(spawnSync(process.execPath, argv, { encoding: "utf8" }), {
    ...{ status: 3, stdout: "said\n", stderr: "told\n" },
  });
  const file = path.join(t.testdir(), "out");
  const out = openSync(file, "w");
  t.equal(spawnSync(process.execPath, argv, { stdio: ["ignore", out, "ignore"] }).status, 3);
  closeSync(out);
  t.equal(readFileSync(file, "utf8"), "said\n", "into a file as well");
  t.end();
});

t.test("what is still under way is brought to its end", (t) => {
  for (const [name, text] of Object.entries({
    "a timer": 'setTimeout(() => console.log("later"), 20);',
    "a file": 'import fs from "node:fs"; fs.stat("/", () => console.log("later"));',
    "a child": `import { spawn } from "node:child_process";
spawn("sh", ["-c", "sleep 0.05"]).on("exit", () => console.log("later"));`,
    "a server": `import net from "node:net";
const server = net.createServer().listen(0, () => server.close(() => console.log("later")));`,
  })) {
    const { status, stdout } = spawnSync(process.execPath, program(`${text}\nendProcess(4);`), {
      encoding: "utf8",
    });
    t.match({ status, stdout }, { status: 4, stdout: "later\nby itself\n" }, name);
  }
  t.end();
});

t.test("who reads slowly gets all of it", async (t) => {
  const bytes = 4_000_000;
  const child = spawn(
    process.execPath,
    program(`process.stdout.write("x".repeat(${bytes})); endProcess(5);`),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const code = new Promise((resolve) => child.once("close", resolve));
  await wait(300);
  let got = 0;
  for await (const chunk of child.stdout) got += String(chunk).length;
  t.equal(got, bytes + "by itself\n".length);
  t.equal(await code, 5);
});
