import t from "tap";
import { hostIo } from "#core/host-io.ts";
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
