import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { sampleLayout, sampleWishes } from "#provisioner/install/sample-layouts.ts";
import { installSteps, type SystemSource } from "#provisioner/install/steps.ts";

// The steps of a plan that put a system into the store of the target, by real Nix, into a directory: built
// there from what `<nixpkgs/nixos>` and the configuration say, or copied from the store of a medium.

const isRoot = process.getuid?.() === 0;
const wishes = sampleWishes["plain-ext4"];
const digest = "d".repeat(64);

/** No more of nixpkgs than a system that says which configuration it was made from. */
const nixos = `{ configuration ? <nixos-config> }:
{
  config.system.build.toplevel = derivation {
    name = "nixos-system";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo \${baseNameOf (dirOf configuration)} > $out" ];
  };
}
`;

function runSteps(
  target: string,
  system: SystemSource,
  env: Readonly<Record<string, string>>,
): void {
  if (wishes === undefined) throw new Error("no sample");
  const steps = installSteps({ layout: sampleLayout(wishes), sources: { digest }, system });
  for (const { action, stage } of steps) {
    if (stage !== "system" || action.kind !== "run") continue;
    const [file, ...args] = action.argv.map((word) => word.replaceAll(/\/mnt(?=\/|$)/g, target));
    execFileSync(file ?? "", args, {
      env: { ...process.env, ...env, ...action.env },
      stdio: "pipe",
    });
  }
}

t.test(
  "a system is built into the target, or copied there",
  { skip: !isRoot && "needs root" },
  async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), "firstlight-store-"));
    t.teardown(() => {
      // The store of Nix is read-only to everybody.
      execFileSync("chmod", ["-R", "u+w", directory]);
      execFileSync("rm", ["-r", directory]);
    });
    const place = (name: string) => {
      const made = path.join(directory, name);
      mkdirSync(made, { recursive: true });
      return made;
    };
    writeFileSync(path.join(place("nixpkgs/nixos"), "default.nix"), nixos);
    const target = place("target");
    const sources = path.join(target, "var/lib/firstlight/sources", digest);
    mkdirSync(sources, { recursive: true });
    writeFileSync(path.join(sources, "configuration.nix"), "{ }\n");
    const config = ["build-users-group =", "substitute = false", "sandbox = true"];
    const own = ["sandbox-paths = /bin /lib /lib64 /usr"];
    const env = { NIX_CONFIG: [...config, ...own].join("\n"), NIX_REMOTE: "" };

    runSteps(target, { kind: "build", nixpkgs: path.join(directory, "nixpkgs") }, env);
    const profile = "nix/var/nix/profiles/system-1-link";
    const toplevel = readlinkSync(path.join(target, profile));
    t.match(toplevel, /^\/nix\/store\/[0-9a-z]{32}-nixos-system$/);
    t.equal(
      execFileSync("cat", [path.join(target, toplevel)], { encoding: "utf8" }),
      `${digest}\n`,
    );

    const other = place("other");
    runSteps(other, { kind: "medium", toplevel }, { ...env, NIX_REMOTE: target });
    t.equal(readlinkSync(path.join(other, profile)), toplevel);
    t.equal(execFileSync("cat", [path.join(other, toplevel)], { encoding: "utf8" }), `${digest}\n`);
  },
);
