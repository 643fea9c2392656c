import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { lintModules } from "#provisioner/profiles/lint-modules.ts";
import { parseNix } from "#provisioner/system/parse-nix.ts";
import { skipWithoutNix } from "./nix-eval.ts";

const io = hostIo({ root: "/", env: process.env });

t.test(
  "Nix says where a module is none, and evaluates nothing of it",
  { skip: skipWithoutNix() },
  async (t) => {
    t.equal(await parseNix(io, "{ pkgs, ... }: { services.nginx.enable = true; }\n"), undefined);
    t.equal(await parseNix(io, '#nix\n{ a = throw "evaluated"; }\n'), undefined);
    t.match(await parseNix(io, "{\n  a = ;\n}\n"), { line: 2, column: 7, message: /syntax error/ });
    t.match(await parseNix(io, "{\n  a = x;\n}\n"), { line: 2, message: /undefined variable 'x'/ });
    const deep = await parseNix(io, "(".repeat(200_000));
    t.type(deep?.message, "string", "what is too deep ends Nix, and nothing else");
  },
);

t.test(
  "the lint says which module of a profile is no Nix, and where",
  { skip: skipWithoutNix() },
  async (t) => {
    const good = { "profile.yaml": "", "module.nix": '{ lib, ... }: { a = throw "evaluated"; }\n' };
    const root = t.testdir({
      acme: {
        bad: { "profile.yaml": "", "module.nix": "{ lib, ... }:\n{\n  a = ;\n}\n" },
        binary: { "profile.yaml": "", "module.nix": Buffer.from([0xff, 0xfe, 0]) },
        good,
        none: { "profile.yaml": "" },
        stray: { "module.nix": "{" },
      },
    });
    const place = (id: string) => ({ document: `acme/${id}/module.nix`, code: "profile/lint" });
    t.match(await lintModules(io, hostIo({ root }).files, "/"), [
      { ...place("bad"), level: "error", line: 3, column: 7, message: /this module: syntax error/ },
      { ...place("binary"), level: "error", message: /^Nix cannot read this module/ },
    ]);
  },
);
