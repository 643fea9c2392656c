import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { sourcePath } from "#provisioner/git-base/locked-source.ts";
import { firstlight, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(120_000);

const narHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const base = {
  git: "https://git.example.org/machines.git",
  rev: "3f2a9c0d4b5e6f708192a3b4c5d6e7f8091a2b3c",
  narHash,
  path: "hosts/edge",
};

function put(root: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

const userData = `#cloud-config
hostname: edge-17
firstlight: { health: { passes: 1, interval: 1ms, timeout: 1s } }
`;

t.test("the base that the settings name in Git is what a boot stands on", async (t) => {
  const root = machine(t, userData);
  const run = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  const settings = (change: object) =>
    put(root, "etc/firstlight/settings.json", JSON.stringify({ stateVersion: "25.11", ...change }));
  settings({ base: { ...base, rev: "main" } });
  t.match(run("boot"), { code: 4, stdout: /settings\.json:1:84 base\.rev/ });
  settings({ base });
  t.match(run("boot"), { code: 1, stdout: /base\/git-fetch/ }, "nothing is fetched below a root");
  const storePath = sourcePath(narHash);
  put(root, `${storePath}/hosts/edge/configuration.nix`, "{ }\n");
  t.match(run("boot"), { code: 0 });
  const entry = readFileSync(path.join(root, "etc/nixos/configuration.nix"), "utf8");
  t.match(entry, `"${storePath}/hosts/edge/configuration.nix"`);
  const pins = readFileSync(path.join(root, "etc/nixos/firstlight/pins.json"), "utf8");
  t.match(JSON.parse(pins), { base: { storePath, narHash, revision: base.rev } });
  settings({});
  t.match(run("boot"), { code: 0, stdout: /^unchanged/ }, "decided with the first commit");
});

t.test("a base that is named too late is told of, and changes nothing", async (t) => {
  const root = machine(t, userData);
  const run = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  t.match(run("boot"), { code: 0 });
  put(root, "etc/firstlight/settings.json", JSON.stringify({ stateVersion: "25.11", base }));
  const late = run("boot");
  t.match(late, { code: 2, stdout: /^unchanged/ });
  t.match(late.stdout + late.stderr, /base\/git-late/);
});
