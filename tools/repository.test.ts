import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import manifest from "../package.json" with { type: "json" };
import lock from "../package-lock.json" with { type: "json" };

const repository = join(import.meta.dirname, "..");

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const locked = Object.entries<LockedPackage>(lock.packages).filter(([path]) => path !== "");
const direct: Readonly<Record<string, string>> = {
  ...manifest.dependencies,
  ...manifest.devDependencies,
};

/** Licences that may be shipped, or be needed to work on firstlight. */
const licences = new Set([
  "(MIT OR CC0-1.0)",
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "MIT OR Apache-2.0",
]);

/** What no tracked file may hold, with what is allowed to look like it. */
const strangers: Readonly<Record<string, RegExp>> = {
  "a path of the machine it was written on": /(?<![\w.-])\/(work|Users)\//,
  "the host of a package registry":
    /\b(registry\.(?!example\.)[a-z]+|[a-z.-]*(npmjs|artifactory|verdaccio))\.[a-z]/i,
};

t.test("tracked files name no machine and no registry", (t) => {
  const found = trackedFiles().flatMap((path) => {
    const text = readFileSync(join(repository, path), "utf8");
    return Object.entries(strangers).flatMap(([what, pattern]) => {
      const match = pattern.exec(text);
      return match === null ? [] : [`${path} holds ${what}: ${match[0]}`];
    });
  });
  t.same(found, []);
  t.end();
});

t.test("the patterns find what they are for", (t) => {
  const [machine, registry] = Object.values(strangers);
  const slash = "/";
  t.match(`see ${slash}work${slash}main`, machine);
  t.match(`file:${slash}${slash}${slash}work${slash}main`, machine);
  t.notMatch(`agent${slash}work${slash}x and a network${slash}work${slash}`, machine);
  t.match(["https://registry", "npmjs", "org/ajv"].join("."), registry);
  t.notMatch("https://mirror.example.org and registry mirrors", registry);
  t.end();
});

t.test("every dependency has one exact version, and the lock file the same", (t) => {
  const byPath = new Map(locked);
  for (const [name, version] of Object.entries(direct)) {
    t.match(version, /^\d+\.\d+\.\d+$/, name);
    t.equal(byPath.get(`node_modules/${name}`)?.version, version, `${name} in the lock file`);
  }
  t.end();
});

t.test("the lock file holds for any registry", (t) => {
  const bound = locked.filter(([, { resolved }]) => resolved !== undefined);
  t.same(bound, []);
  t.match(readFileSync(join(repository, ".npmrc"), "utf8"), "omit-lockfile-registry-resolved=true");
  t.end();
});

t.test("the only package that runs a script when it is installed is Node itself", (t) => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  t.same(
    scripted.map(([path]) => path),
    ["node_modules/node"],
  );
  t.end();
});

t.test("licences of what we depend on, and of all that is shipped, are known to fit", (t) => {
  for (const [path, { license = "none", dev }] of locked) {
    const isDirect = Object.hasOwn(direct, path.replace(/^node_modules\//, ""));
    if (isDirect || dev !== true) t.ok(licences.has(license), `${path}: ${license}`);
  }
  t.end();
});

/** Paths of the text files that are in the repository, and still there. */
function trackedFiles(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: repository, encoding: "utf8" });
  return listed
    .split("\0")
    .filter((path) => path !== "")
    .filter(
      (path) => statSync(join(repository, path), { throwIfNoEntry: false })?.isFile() === true,
    );
}
