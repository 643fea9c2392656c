import t from "tap";
import { compareClosures, type StoreObject } from "./closure-difference.ts";
import { compareVersions, packageName } from "./package-name.ts";

const names = {
  "bash-5.2p15": { name: "bash", version: "5.2p15", output: "out" },
  "bash-5.2p15-man": { name: "bash", version: "5.2p15", output: "man" },
  "python3.11-requests-2.31.0": { name: "python3.11-requests", version: "2.31.0", output: "out" },
  "hello-unstable-2024-01-31": { name: "hello-unstable", version: "2024-01-31", output: "out" },
  "linux-6.12.1-modules-shrunk": { name: "linux", version: "6.12.1-modules-shrunk", output: "out" },
  "unit-sshd.service": { name: "unit-sshd.service", version: "", output: "out" },
  "etc-hosts-bin": { name: "etc-hosts-bin", version: "", output: "out" },
  "nixos-system-edge-25.11": { name: "nixos-system-edge", version: "25.11", output: "out" },
};

for (const [name, expected] of Object.entries(names)) {
  t.test(`${name} is read as a package`, async (t) => {
    t.strictSame(packageName(`/nix/store/${"0".repeat(32)}-${name}`), expected);
  });
}

t.test("versions have an order", async (t) => {
  const ordered = ["2.3pre1", "2.3pre12", "2.3", "2.3a", "2.3.1", "2.10", "20240101123456"];
  const shuffled = [...ordered].reverse();
  t.strictSame(shuffled.sort(compareVersions), ordered);
  t.equal(compareVersions("1.0", "1.0."), 0);
  t.equal(compareVersions("01", "1"), 0);
});

/** Paths of a closure, each a name with its bytes. */
function closure(names: Readonly<Record<string, number>>): readonly StoreObject[] {
  return Object.entries(names).map(([name, bytes]) => ({
    path: `/nix/store/${name.includes("@") ? "1".repeat(32) : "0".repeat(32)}-${name.replace("@", "")}`,
    bytes,
  }));
}

t.test("packages come, go, and change their versions", async (t) => {
  const before = closure({
    "bash-5.2": 10,
    "bash-5.2-man": 1,
    "curl-8.6": 4,
    "gone-1": 2,
    "same-1": 7,
    "glibc-2.38": 30,
    "lib-1.0": 3,
    "etc-passwd": 1,
    "nixos-system-edge-25.11": 1,
  });
  const after = closure({
    "bash-5.3": 12,
    "curl-8.5": 4,
    "come-1": 5,
    "same-1@": 8,
    "glibc-2.38": 30,
    "glibc-2.39": 31,
    "lib-1.0": 3,
    "lib-1.0-dev": 2,
    "etc-shadow": 1,
    "nixos-system-edge-26.05": 1,
  });
  const { packages, paths, bytes } = compareClosures(before, after);
  const change = (name: string) => packages.find((each) => each.name === name);
  t.strictSame(
    packages.map(({ name }) => name),
    ["bash", "come", "curl", "glibc", "gone"],
    "what has the same versions is not listed",
  );
  t.strictSame(change("bash"), {
    name: "bash",
    change: "upgraded",
    before: ["5.2"],
    after: ["5.3"],
    bytesBefore: 11,
    bytesAfter: 12,
  });
  t.match(change("come"), { change: "added", before: [], after: ["1"], bytesBefore: 0 });
  t.match(change("gone"), { change: "removed", before: ["1"], after: [], bytesAfter: 0 });
  t.match(change("curl"), { change: "downgraded" });
  t.match(change("glibc"), { change: "changed", before: ["2.38"], after: ["2.38", "2.39"] });
  t.strictSame(paths, { added: 8, removed: 7 });
  t.strictSame(bytes, { before: 59, after: 97, added: 64, removed: 26 });
});

t.test("several versions go by the newest that only one side has", async (t) => {
  const kinds = (before: readonly string[], after: readonly string[]) => {
    const objects = (versions: readonly string[]) =>
      closure(Object.fromEntries(versions.map((version) => [`x-${version}`, 1])));
    return compareClosures(objects(before), objects(after)).packages.map(({ change }) => change);
  };
  t.strictSame(kinds(["1", "2"], ["2", "3"]), ["upgraded"]);
  t.strictSame(kinds(["1", "3"], ["1", "2"]), ["downgraded"]);
  t.strictSame(kinds(["1", "2"], ["2"]), ["changed"]);
  t.strictSame(kinds(["1-r1"], ["1.r1"]), ["changed"]);
  t.strictSame(kinds(["2", "1"], ["1", "2"]), []);
});
