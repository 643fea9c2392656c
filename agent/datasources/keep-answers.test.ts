import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { keepAnswers } from "./keep-answers.ts";

t.test("what was answered once is answered so again, also that nothing is there", (t) => {
  const root = t.testdir({ there: { file: "first" } });
  const { files } = fakeIo(root);
  const kept = keepAnswers(files);
  const look = () => [
    kept.readText("/there/file"),
    String(kept.read("/there/file")),
    kept.list("/there"),
    kept.stat("/there/file")?.size,
    kept.readText("/later"),
    kept.list("/new"),
    kept.stat("/later"),
  ];
  const first = ["first", "first", ["file"], 5, undefined, [], undefined];
  t.strictSame(look(), first);
  writeFileSync(path.join(root, "there/file"), "another one");
  writeFileSync(path.join(root, "later"), "");
  mkdirSync(path.join(root, "new"));
  writeFileSync(path.join(root, "new/file"), "");
  t.strictSame(look(), first);
  t.equal(
    files.readText("/there/file"),
    "another one",
    "and the files themselves are as they were",
  );
  t.equal(kept.root, files.root);
  t.end();
});

t.test("a limit is part of what was asked, and a fault is kept as well", (t) => {
  const root = t.testdir({ file: "0123456789" });
  const kept = keepAnswers(fakeIo(root).files);
  const small = () => kept.readText("/file", { maxBytes: 4 });
  t.throws(small, { code: "io/too-large" });
  t.equal(kept.readText("/file", { maxBytes: 10 }), "0123456789");
  t.equal(kept.readText("/file"), "0123456789");
  rmSync(path.join(root, "file"));
  t.throws(small, { code: "io/too-large" });
  t.end();
});

t.test("a document is read anew, and not kept", (t) => {
  const root = t.testdir({ large: "x".repeat(64 * 1024 + 1) });
  const kept = keepAnswers(fakeIo(root).files);
  t.equal(kept.readText("/large")?.[0], "x");
  t.equal(kept.read("/large")?.[0], 0x78);
  writeFileSync(path.join(root, "large"), "another");
  t.equal(kept.readText("/large"), "another");
  t.equal(String(kept.read("/large")), "another");
  t.end();
});
