import path from "node:path";
import t from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import {
  holdDirectoryToOptions,
  holdMachineToOptions,
  skipWithoutOptions,
  unfitOptions,
} from "./rendered.ts";

const skip = skipWithoutOptions;
const module = (line: string) => `# A module.\n\n{ lib, ... }:\n{\n  ${line}\n}\n`;
const misspelt = module("services.opnessh.enable = true;");
const said = /services\.opnessh\.enable: expected an option of NixOS/;

t.test("each module that is printed is held against the options", { skip }, async (t) => {
  const printed = ["configuration", "instance", "network", "hardware", "generation"];
  for (const name of printed) {
    const file = name === "configuration" ? "configuration.nix" : `firstlight/${name}.nix`;
    const [problem = "none", ...more] = unfitOptions([{ path: file, content: misspelt }]);
    t.ok(problem.startsWith(`${file}: services.opnessh`), problem);
    t.same(more, []);
  }
  t.same(unfitOptions([{ path: "local.nix", content: "anything of its owner" }]), []);
});

t.test("values of another kind are found, and what is not printed Nix", { skip }, async (t) => {
  const of = (line: string) =>
    unfitOptions([{ path: "firstlight/instance.nix", content: module(line) }]);
  t.match(of("services.openssh.enable = lib.mkForce 1;"), [/expected boolean, got .* int/]);
  t.match(of("services.firstlight.pins.nixpkgs.storePath = 1;"), [/storePath: expected string/]);
  t.match(of("services.firstlight.pins.nixpkgs.hash = null;"), [/pins\.nixpkgs\.hash: /]);
  t.same(of('services.firstlight.pins.nixpkgs.storePath = "/nix/store/x";'), []);
  t.throws(() => of("a = b - c;"), /printed Nix/);
});

t.test("a test that renders an option that is none does not pass", { skip }, async (t) => {
  const options = { "services.opnessh.enable": true };
  t.throws(() => tryRender({ options }), said);
  t.doesNotThrow(() => tryRender({ options: { "services.openssh.enable": true } }));
});

t.test("what a machine keeps, and what lies in a directory", { skip }, async (t) => {
  const root = t.testdir({
    out: { firstlight: { "network.nix": misspelt } },
    machine: {
      var: { lib: { firstlight: { sources: { a: { "configuration.nix": misspelt } } } } },
    },
  });
  t.throws(() => holdMachineToOptions(path.join(root, "machine")), said);
  t.throws(() => holdDirectoryToOptions(path.join(root, "out")), said);
  t.doesNotThrow(() => holdDirectoryToOptions(path.join(root, "none")));
  t.doesNotThrow(() => holdMachineToOptions(root));
});
