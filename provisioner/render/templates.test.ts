import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import type { TemplateUse } from "#generated/provisioner/spec/v1.ts";
import { loadTemplates } from "./load-templates.ts";
import { hintAt } from "./parameter-hints.ts";
import { allTemplates } from "./templates.ts";
import { fileOf, shippedTemplates, tryRender } from "./try-render.ts";

const origins = new Map(
  [4, 5, 6].map((line, index) => [
    `templates.${index}`,
    { document: "user-data", line, column: 5 },
  ]),
) as never;

/** Findings about uses of templates, whose parameters are taken as they are. */
function found(templates: readonly TemplateUse[]): readonly string[] {
  const { findings } = tryRender(
    { templates: [...templates] },
    { origins, checkParameters: () => [] },
  );
  return findings.map(formatFinding);
}

const use = (name: string, parameters: TemplateUse["parameters"] = {}): TemplateUse => ({
  name,
  parameters,
});

t.test("a template that a machine has once is told of where it is used again", async (t) => {
  const cases: readonly (readonly [string, TemplateUse, TemplateUse, RegExp])[] = [
    [
      "other parameters",
      use("docker-host", { dataRoot: "/a" }),
      use("docker-host", { liveRestore: false }),
      /docker-host is used already at user-data:4, and a machine has one of it.*put the parameters/s,
    ],
    [
      "the same parameters",
      use("docker-host", { dataRoot: "/a" }),
      use("docker-host", { dataRoot: "/a" }),
      /at user-data:4, with the same parameters.*remove one/s,
    ],
    [
      "the same interface, once by what it is when absent",
      use("wireguard-mesh", { addresses: ["10.0.0.1/24"] }),
      use("wireguard-mesh", { addresses: ["10.0.0.2/24"], interface: "wg0" }),
      /at user-data:4, with the same `interface`.*its own `interface`/s,
    ],
    [
      "the same port, where none is said",
      use("wireguard-mesh", { addresses: ["10.0.0.1/24"] }),
      use("wireguard-mesh", { addresses: ["10.0.0.2/24"], interface: "wg1" }),
      /at user-data:4, with the same `port`/,
    ],
    [
      "the same name in a mapping",
      use("podman", { containers: { a: { image: "x" }, b: { image: "x" } } }),
      use("podman", { containers: { b: { image: "y" } } }),
      /at user-data:4, which has `b` under `containers` as well/,
    ],
    [
      "another value of what is the machine's",
      use("nginx-proxy", { sites: { a: { target: "http://x" } }, acmeEmail: "a@example.org" }),
      use("nginx-proxy", { sites: { b: { target: "http://x" } } }),
      /at user-data:4, which says `acmeEmail` otherwise.*only `sites` may differ/s,
    ],
  ];
  for (const [what, first, second, said] of cases) {
    const lines = found([first, second]);
    t.equal(lines.length, 1, what);
    t.match(lines[0], /^user-data:5:5 error templates\.1: /, what);
    t.match(lines[0], said, what);
  }
});

t.test("each further use is held against all before it", async (t) => {
  const mesh = (name: string, port: number) =>
    use("wireguard-mesh", { interface: name, port, addresses: ["10.0.0.1/24"] });
  t.match(found([mesh("a", 1), mesh("b", 2), mesh("b", 3)]), [
    /^user-data:6:5 error templates\.2: .* at user-data:5, /,
  ]);
});

t.test("what tells its uses apart is used several times", async (t) => {
  const site = { target: "http://127.0.0.1:1" };
  const uses = [
    use("nginx-proxy", { sites: { a: site }, openFirewall: false }),
    use("nginx-proxy", { sites: { b: site }, openFirewall: false }),
    use("docker-host"),
  ];
  t.same(found(uses), []);
  const rendered = tryRender({ templates: uses }, { checkParameters: () => [] });
  const imports = fileOf(rendered, "configuration.nix").match(/templates\/nginx-proxy/g);
  t.equal(imports?.length, 2);
});

t.test("what tells uses apart is in the schema, with its default where it has one", async (t) => {
  for (const { name, apart, schema, files } of allTemplates(shippedTemplates)) {
    const text = files.find(({ path }) => path === "default.nix")?.content ?? "";
    for (const key of apart) {
      const { type, default: standard } =
        (schema["properties"] as Record<string, { type?: string; default?: unknown }>)[key] ?? {};
      t.ok(type, `${name}: ${key}`);
      if (type === "object") t.same(apart, [key], name);
      else t.match(text, `\n  ${key} ? ${JSON.stringify(standard)},`, `${name}: ${key}`);
    }
  }
});

t.test("what would fit is said of a parameter that does not", async (t) => {
  const cases: readonly (readonly [string, object, readonly string[], string, string?])[] = [
    ["docker-host", {}, ["dataRot"], "did you mean `dataRoot`?"],
    ["nginx-proxy", {}, ["sites", "a", "traget"], "did you mean `target`?"],
    ["nvidia-compute", {}, ["zzzzzzzz"], "it has acceptLicense, driver, "],
    ["docker-host", { storageDriver: "brtfs" }, ["storageDriver"], "did you mean `btrfs`?"],
    ["docker-host", { storageDriver: 7 }, ["storageDriver"], "write it like `overlay2`"],
    ["docker-host", { openPorts: ["http"] }, ["openPorts", "0"], "write it like `8080`"],
    ["docker-host", { liveRestore: "yes" }, ["liveRestore"], "write it like `true`"],
    ["k3s-agent", {}, [], "write it like `https://10.0.0.10:6443`", "serverAddr"],
    ["nginx-proxy", { sites: 7 }, ["sites"], "docs/templates.md shows each parameter"],
  ];
  for (const [name, parameters, path, hint, missing] of cases) {
    const schema = shippedTemplates.get(name)?.schema ?? {};
    const fault = { path, message: "", ...(missing === undefined ? {} : { missing }) };
    t.ok(hintAt(schema, parameters, fault).startsWith(hint), hintAt(schema, parameters, fault));
  }
});

t.test("a template is read when it is asked for, and no other file is one", async (t) => {
  const broken = t.testdir({
    templates: {
      whole: {
        "default.nix": "{ }",
        "schema.json": "{}",
        "template.yaml": "title: a\ndescription: b\n",
      },
      torn: { "default.nix": "{ }", "schema.json": "{}", "template.yaml": "title: a\n" },
      empty: {},
    },
    "secret.nix": "{ }",
  });
  const templates = loadTemplates(
    hostFiles(broken, () => {}),
    "/templates",
  );
  t.same([...templates.keys()].sort(), ["torn", "whole"]);
  t.match(templates.get("whole"), { name: "whole", title: "a" });
  t.equal(templates.get("whole"), templates.get("whole"));
  t.throws(() => templates.get("torn"), { code: "render/template-broken", message: /torn/ });
  for (const name of ["empty", "other", "", "..", "../templates/whole", "whole/default.nix"])
    t.equal(templates.get(name), undefined, name);
});
