import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { loadParameterCheck } from "#cli/template-checks.ts";
import { hostFiles } from "#core/host-files.ts";
import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { optionEntries } from "#provisioner/nix-language/option-set.ts";
import { print } from "#provisioner/nix-language/print.ts";
import { attrs, list, moduleOf, type NixExpr, ref } from "#provisioner/nix-language/tree.ts";
import { checkOptions, loadOptionList } from "#provisioner/nixos-options/option-list.ts";
import { loadTemplates } from "#provisioner/render/load-templates.ts";
import { allTemplates } from "#provisioner/render/templates.ts";
import { everyParameter } from "./every-parameter.ts";
import { nixEvalJson, skipWithoutNix } from "./nix-eval.ts";

const skip = skipWithoutNix();
const root = path.join(import.meta.dirname, "..");
const lib = path.join(root, "integration/nixpkgs/lib");
const evaluate = readFileSync(path.join(import.meta.dirname, "evaluate-template.nix"), "utf8");
const templates = loadTemplates(
  hostFiles(root, () => {}),
  "/templates",
);
const known = loadOptionList();

type Parameters = Readonly<Record<string, PlainData>>;

interface Definition {
  readonly path: readonly string[];
  readonly value: PlainData;
}

/** Options that a template asks for, so that it fits releases before and after they moved. */
const releases: Readonly<Record<string, PlainData>> = {
  newer: {
    services: { desktopManager: { gnome: {} } },
    hardware: { graphics: {} },
    networking: { wireguard: { useNetworkd: {} } },
  },
  older: { services: {}, hardware: {}, networking: { wireguard: {} } },
};

function definitions(name: string, parameters: Parameters, release = "newer"): Definition[] {
  const file = path.join(root, "templates", name, "default.nix");
  const named = [...readFileSync(file, "utf8").matchAll(/pkgs\.([A-Za-z][A-Za-z0-9.-]*)/g)]
    .map(([, attribute = ""]) => attribute)
    .filter((attribute) => !attribute.startsWith("write"));
  const asked = Array.isArray(parameters["packages"]) ? parameters["packages"].map(String) : [];
  const packages = [...named, ...asked, "firefox"].map((attribute) => attribute.split("."));
  return nixEvalJson(
    `import ./evaluate.nix {
  lib = import ${lib};
  module = ${file};
  parameters = ${print(fromJson(parameters))};
  packages = ${print(fromJson(packages))};
  options = ${print(fromJson(releases[release] ?? {}))};
}`,
    { files: { "evaluate.nix": evaluate } },
  ) as Definition[];
}

/** Packages are what they stand for; anything else is itself. */
function expression(value: PlainData): NixExpr {
  if (value === "<function>") return ref("lib", "id");
  if (typeof value === "string" && /^<package>[A-Za-z0-9._-]+$/.test(value))
    return ref("pkgs", "hello");
  return Array.isArray(value) ? list(value.map(expression)) : fromJson(value);
}

const asked = ["assertions", "warnings"];

/** What the list of options does not say rightly, each with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  "hardware.opengl.enable": "its name before NixOS 24.11",
  "virtualisation.docker.liveRestore": "an alias into the free settings of the daemon",
};

function unfit(name: string, all: readonly Definition[]): readonly string[] {
  if (known === undefined) return [];
  const modules = all
    .filter(({ path: [top = ""] }) => !asked.includes(top))
    .filter((definition) => !Object.hasOwn(elsewhere, definition.path.join(".")))
    .map((definition) => ({
      file: name,
      expr: moduleOf(
        ["lib", "pkgs"],
        attrs(optionEntries([{ path: definition.path, value: expression(definition.value) }])),
      ),
    }));
  return checkOptions(modules, known).map(({ message }) => message);
}

/** Messages of assertions that do not hold. */
function failed(all: readonly Definition[]): readonly PlainData[] {
  const lists = all.filter(({ path: [top] }) => top === "assertions").map(({ value }) => value);
  return (lists.flat() as unknown as readonly { assertion: boolean; message: string }[])
    .filter(({ assertion }) => !assertion)
    .map(({ message }) => message);
}

function defined(all: readonly Definition[], option: string): PlainData | undefined {
  return all.find((definition) => definition.path.join(".") === option)?.value;
}

for (const template of allTemplates(templates)) {
  const { name, example } = template;
  t.test(`${name}: its example fits its schema and sets options of NixOS`, { skip }, async (t) => {
    const check = await loadParameterCheck([name]);
    t.same(check(name, example), []);
    t.ok(check(name, { ...example, "no such": 1 }).length > 0);
    for (const release of Object.keys(releases)) {
      const all = definitions(name, example, release);
      t.ok(all.length > 3);
      t.same(failed(all), []);
      t.same(unfit(name, all), [], release);
    }
  });

  t.test(`${name}: so does each of its parameters`, { skip }, async (t) => {
    const parameters = everyParameter(template);
    t.ok(Object.keys(parameters).length > Object.keys(example).length);
    const check = await loadParameterCheck([name]);
    t.same(check(name, parameters), []);
    const all = definitions(name, parameters);
    t.same(failed(all), []);
    t.same(unfit(name, all), []);
  });
}

t.test("what may not be is an assertion that says what to give", { skip }, (t) => {
  const cases: readonly (readonly [string, Parameters, RegExp])[] = [
    ["nginx-proxy", { sites: { "a.example": { target: "http://b" } } }, /give acmeEmail/],
    [
      "nginx-proxy",
      { sites: { "a.example": { target: "http://b", tls: "files" } } },
      /a\.example has tls: files/,
    ],
    ["kiosk", {}, /either url or program/],
    ["nvidia-compute", { acceptLicense: false }, /acceptLicense: true/],
  ];
  for (const [name, parameters, words] of cases) {
    t.match(failed(definitions(name, parameters)).join("\n"), words, name);
  }
  t.end();
});

t.test("parameters arrive where they are meant", { skip }, (t) => {
  const k3s = definitions("k3s-agent", {
    serverAddr: "https://10.0.0.10:6443",
    tokenFile: "/run/token",
    labels: { site: "a b" },
  });
  t.equal(defined(k3s, "services.k3s.extraFlags"), "'--node-label=site=a b'");
  t.equal(defined(k3s, "services.k3s.tokenFile"), "/run/token");
  const podman = definitions("podman", {
    containers: { web: { image: "nginx", command: ["-v"] } },
  });
  t.same(defined(podman, "virtualisation.oci-containers.containers.web.cmd"), ["-v"]);
  const mesh = definitions("wireguard-mesh", { addresses: ["10.0.0.1/24"], interface: "mesh" });
  t.match(
    defined(mesh, "networking.wireguard.interfaces.mesh.postSetup"),
    /mesh\.key > .*mesh\.pub/,
  );
  t.equal(defined(mesh, "networking.wireguard.interfaces.mesh.generatePrivateKeyFile"), true);
  t.equal(
    defined(mesh, "networking.wireguard.useNetworkd"),
    false,
    "which would refuse a key that is made here",
  );
  const proxy = definitions("nginx-proxy", {
    sites: { "a.example": { target: "http://b", tls: "none", allow: ["10.0.0.0/8"] } },
  });
  t.equal(
    defined(proxy, "services.nginx.virtualHosts.a.example.extraConfig"),
    "allow 10.0.0.0/8;\ndeny all;\n",
  );
  t.equal(defined(proxy, "security.acme.acceptTerms"), undefined, "no certificate is asked for");
  t.equal(
    defined(
      definitions("workstation-gnome", {}, "older"),
      "services.xserver.desktopManager.gnome.enable",
    ),
    true,
  );
  t.end();
});
