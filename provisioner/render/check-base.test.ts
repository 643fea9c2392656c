import { mkdirSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Base, Pins } from "./base.ts";
import { checkBase, tellOtherBase } from "./check-base.ts";
import { plainBase } from "./try-render.ts";

const pin = (storePath: string) => ({ storePath, narHash: null, revision: null });
const pinned: Pins = { firstlight: pin("/nix/store/x-firstlight") };
const noRoot = {
  fileSystems: [],
  swaps: [],
  left: [],
  bootLoader: "systemd-boot",
  esp: null,
} as const;
const root = { path: "/", device: "/dev/vda1", type: "ext4", options: [] };

function check(test: { testdir(): string }, base: Partial<Base>, spec = {}) {
  const directory = test.testdir();
  mkdirSync(path.join(directory, "nixpkgs/pkgs/by-name"), { recursive: true });
  const whole = { ...plainBase, ...base };
  const findings = checkBase(fakeIo(directory).files, whole, { version: 1, ...spec });
  return findings.map(({ code, level }) => `${level} ${code}`);
}

t.test(
  "a machine without a root file system is told, unless somebody else names one",
  async (t) => {
    const base = { pins: pinned, platform: noRoot };
    t.same(check(t, base), ["warning base/no-root"]);
    t.same(check(t, { ...base, platform: { ...noRoot, fileSystems: [root] } }), []);
    t.same(check(t, { ...base, platform: null }), [], "the profile brings it");
    t.same(check(t, { ...base, kind: "adopted", platform: null }), [], "the image has its own");
    t.same(check(t, { ...base, local: '{ fileSystems."/".device = "/dev/vda1"; }' }), []);
    t.same(check(t, base, { options: { 'fileSystems."/".device': "/dev/vda1" } }), []);
    t.same(check(t, base, { mounts: [{ path: "/", device: "/dev/vda1" }] }), []);
  },
);

t.test("a package that is nowhere is told, as far as it is known", async (t) => {
  t.same(check(t, { pins: {} }), ["note base/no-package"]);
  t.same(check(t, { pins: { nixpkgs: pin("/elsewhere") } }), ["note base/no-package"]);
  t.same(check(t, { pins: { nixpkgs: pin("/nixpkgs") } }), ["warning base/no-package"]);
  t.same(check(t, { pins: { nixpkgs: pin("/nixpkgs"), ...pinned } }), []);
  t.same(check(t, { pins: {}, local: "{ services.firstlight.package = x; }" }), []);
  t.same(check(t, { pins: {}, kind: "adopted" }), []);
});

t.test("settings that name a base from Git too late are told of", async (t) => {
  const git = {
    url: "https://git.example.org/machines.git",
    rev: "3f2a9c0d4b5e6f708192a3b4c5d6e7f8091a2b3c",
    narHash: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    storePath: "/nix/store/00000000000000000000000000000000-source",
    entry: { file: "configuration.nix" },
  };
  t.match(tellOtherBase(true, plainBase), [
    { level: "warning", code: "base/git-late", document: "/etc/firstlight/settings.json" },
  ]);
  t.same(tellOtherBase(true, { ...plainBase, git }), []);
  t.same(tellOtherBase(false, plainBase), []);
});
