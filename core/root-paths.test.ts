import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import { hostFiles } from "./host-files.ts";
import { rootPaths } from "./root-paths.ts";

t.test("a path lies below the root, however far its links and dots climb", async (t) => {
  const root = t.testdir({ etc: { inner: {} }, var: {} });
  symlinkSync("/etc", path.join(root, "absolute"));
  symlinkSync("../../../etc", path.join(root, "var/climbs"));
  symlinkSync("inner", path.join(root, "etc/sibling"));
  const { locate } = rootPaths(root);
  const cases = [
    ["/etc/file", "etc/file"],
    ["/absolute/file", "etc/file"],
    ["/var/climbs/sibling/file", "etc/inner/file"],
    ["/var/climbs/../file", "var/file"],
    ["/../../etc/./file", "etc/file"],
    ["/none/../../none/file", "none/file"],
    ["/", ""],
  ] as const;
  for (const [given, place] of cases) t.equal(locate(given, true), path.join(root, place), given);
  t.equal(locate("/absolute", false), path.join(root, "absolute"));
});

t.test("on a running machine the kernel follows the links", async (t) => {
  const { locate } = rootPaths("/");
  const cases = [
    ["/a/../b", "/b"],
    ["/a/./b", "/a/b"],
    ["/a/b/..", "/a"],
    ["/../a", "/a"],
    ["/a//b", "/a/b"],
    ["//a", "/a"],
    ["/a/b/", "/a/b"],
    ["a", "/a"],
    ["", "/"],
    ["/", "/"],
    ["/a..b/c.", "/a..b/c."],
    ["/.a/..b", "/.a/..b"],
  ] as const;
  for (const [given, place] of cases) t.equal(locate(given, true), place, given);
});

t.test("what we change ourselves is seen at once", async (t) => {
  const root = t.testdir({ one: { name: "one" }, two: { name: "two" }, other: { name: "other" } });
  const files = hostFiles(root, () => {});
  files.link("one", "/current");
  t.equal(files.readText("/current/name"), "one");
  files.link("two", "/current");
  t.equal(files.readText("/current/name"), "two");
  files.rename("/two", "/kept");
  files.link("other", "/two");
  t.equal(files.readText("/current/name"), "other");
  files.remove("/two");
  t.equal(files.readText("/current/name"), undefined);
  files.link("kept/name", "/file");
  t.equal(files.readText("/file"), "two");
  files.write("/file", "its own");
  t.equal(files.readText("/file"), "its own");
  t.equal(files.readText("/kept/name"), "two");
});

t.test("what others change is seen in the next turn of the event loop", async (t) => {
  const root = t.testdir({ etc: { name: "before" } });
  const files = hostFiles(root, () => {});
  t.equal(files.readText("/etc/name"), "before");
  renameSync(path.join(root, "etc"), path.join(root, "old"));
  mkdirSync(path.join(root, "new"));
  writeFileSync(path.join(root, "new/name"), "after");
  symlinkSync("/new", path.join(root, "etc"));
  await nextTurn();
  t.equal(files.readText("/etc/name"), "after");
});
