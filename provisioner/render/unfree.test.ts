import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { type Manifest, manifestFile } from "./manifest.ts";
import { fileOf, type TryOptions, tryRender } from "./try-render.ts";

const anyParameters: TryOptions = { checkParameters: () => [] };

function rendered(spec: Omit<Spec, "version">, options: TryOptions = anyParameters) {
  const result = tryRender(spec, options);
  const manifest = JSON.parse(fileOf(result, manifestFile)) as Manifest;
  const text = fileOf(result, "firstlight/instance.nix");
  return {
    predicate: /allowUnfreePredicate =([^;]*);/.exec(text)?.[1]?.replaceAll(/\s+/g, " ").trim(),
    said: manifest.unfree,
    findings: result.findings.map(({ code }) => code),
    hints: result.findings.map(({ hint }) => hint),
  };
}

t.test("nothing that is not free may be built unless somebody names it", async (t) => {
  t.match(rendered({ packages: ["vscode"] }), {
    predicate: undefined,
    said: [],
    findings: ["render/unfree-package"],
    hints: [/write `unfree: \[vscode\]`/],
  });
  t.match(rendered({ packages: ["vscode"], unfree: ["discord"] }), {
    predicate: 'package: builtins.elem (lib.getName package) [ "discord" ]',
    findings: ["render/unfree-package"],
  });
});

t.test("a package passes by its name, which may differ from its attribute", async (t) => {
  const zoom = { packages: ["zoom-us"] };
  t.match(rendered(zoom).hints, [/`unfree: \[zoom\]`/]);
  t.same(rendered({ ...zoom, unfree: ["zoom"] }).findings, []);
  const cuda = { packages: ["cudaPackages.cuda_nvcc"] };
  t.match(rendered(cuda).hints, [/`unfree: \["cuda\*", "libcu\*", "libnv\*", "libnpp\*"\]`/]);
  t.same(rendered({ ...cuda, unfree: ["cuda*", "lib*"] }).findings, [], "by its beginning");
});

t.test("who agreed stands in the manifest, with the line", async (t) => {
  const origins = new Map([
    ["unfree.0", { document: "user-data", line: 3, column: 10 }],
    ["templates.0", { document: "user-data", line: 7, column: 5 }],
  ]);
  const nvidia = (parameters: Record<string, boolean>) => [{ name: "nvidia-compute", parameters }];
  const agreed = nvidia({ acceptLicense: true });
  t.same(rendered({ unfree: ["vscode"], templates: agreed }, { ...anyParameters, origins }).said, [
    { name: "vscode", by: "the spec", setBy: { document: "user-data", line: 3, column: 10 } },
    {
      name: "nvidia-*",
      by: "template nvidia-compute",
      setBy: { document: "user-data", line: 7, column: 5 },
    },
  ]);
  const names = (parameters: Record<string, boolean>) =>
    rendered({ templates: nvidia(parameters) }).said.map(({ name }) => name);
  t.same(names({ acceptLicense: true, cuda: true }), [
    "nvidia-*",
    "cuda*",
    "libcu*",
    "libnv*",
    "libnpp*",
  ]);
  t.same(names({ acceptLicense: false, cuda: true }), [], "nobody agreed");
  t.same(rendered({ unfree: ["nvidia-*"], templates: agreed }).said.length, 1, "each once");
});

t.test("leave for everything is shown as that", async (t) => {
  const everything = { packages: ["vscode"], options: { "nixpkgs.config.allowUnfree": true } };
  t.match(rendered(everything), {
    predicate: undefined,
    said: [{ name: "*", by: "the spec", setBy: null }],
    findings: [],
  });
});

t.test("the list and a predicate of one's own are one option", async (t) => {
  const twice = { unfree: ["vscode"], options: { "nixpkgs.config": { allowUnfree: true } } };
  t.same(rendered(twice).findings, ["render/option-twice"]);
});
