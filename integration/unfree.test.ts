import t from "tap";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { nixEvalJson, skipWithoutNix } from "./nix-eval.ts";

t.test(
  "the list lets through what it names, and nothing else",
  { skip: skipWithoutNix() },
  async (t) => {
    const names = ["vscode", "vscode-extension", "cuda_nvcc", "cud", "nvidia-x11", "steam"];
    const allowed = (unfree: readonly string[]) => {
      const text = fileOf(tryRender({ unfree: [...unfree] }), "firstlight/instance.nix");
      return nixEvalJson(
        `let
        lib = {
          getName = package: package.pname;
          hasPrefix = start: text: builtins.substring 0 (builtins.stringLength start) text == start;
        };
        module = import ./instance.nix { inherit lib; };
        may = module.nixpkgs.config.allowUnfreePredicate;
      in builtins.filter (pname: may { inherit pname; }) [ ${names.map((name) => `"${name}"`).join(" ")} ]`,
        { files: { "instance.nix": text } },
      );
    };
    t.same(allowed(["vscode"]), ["vscode"]);
    t.same(allowed(["cuda*"]), ["cuda_nvcc"]);
    t.same(allowed(["steam", "vscode*", "nvidia-x11"]), [
      "vscode",
      "vscode-extension",
      "nvidia-x11",
      "steam",
    ]);
  },
);
