import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import type { Files } from "#core/io.ts";
import { findBuilders } from "./builders.ts";
import { systemPaths } from "./paths.ts";

function find(files: Files, remote?: string, canWrite = true) {
  const env = { NIX_REMOTE: remote };
  return findBuilders(env, { ...files, canWrite: () => canWrite }, systemPaths({}));
}

t.test("builders are where Nix's own rule puts them", async (t) => {
  const root = t.testdir();
  const files = hostFiles(root, () => {});
  t.equal(find(files), "children", "who may write to the store builds there");
  t.equal(find(files, "daemon"), "daemon");
  t.equal(find(files, "unix:///run/other.sock"), "daemon");
  t.equal(find(files, "ssh-ng://builder"), "elsewhere");
  t.equal(find(files, "local"), "children");
  t.equal(find(files, "/mnt"), "children");
  t.equal(find(files, "auto", false), "children", "there is no daemon to ask");
  mkdirSync(path.join(root, "nix/var/nix/daemon-socket"), { recursive: true });
  writeFileSync(path.join(root, "nix/var/nix/daemon-socket/socket"), "");
  t.equal(find(files, "", false), "daemon");
  t.equal(find(files, "", true), "children", "root goes past the daemon");
});
