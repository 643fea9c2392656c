import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { compileProfiles } from "./compile.ts";
import { lintProfileFile, lintProfiles } from "./lint.ts";

/** What every profile needs, so that a test shows only what it is about. */
const base = (id: string, product = id) => `
id: ${id}
title: Test machine
vendor: Acme
match: { any: [{ all: { dmi: { sysVendor: Acme, productName: "${product}" } } }] }
status: { level: declared, evidence: none }
tests:
  match: [{ name: itself, facts: { dmi: { sysVendor: Acme, productName: "${product}" } } }]
  noMatch: [{ name: another, facts: { dmi: { sysVendor: Acme, productName: Other } } }]
`;

function filesWith(directory: string, files: Readonly<Record<string, string>>) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  }
  return hostFiles(directory, () => {});
}

const lint = (files: ReturnType<typeof filesWith>) =>
  lintProfiles(files, { directory: "/", today: "2026-11-24" });

t.test("a profile takes over what it extends: lists add up, values are refined", async (t) => {
  const files = filesWith(t.testdir({}), {
    "acme/old/profile.yaml": `${base("acme/old")}
nixos: { imports: [a], options: { services.x.enable: true, "boot.supportedFilesystems": [ext4] } }
kernel: { min: "6.1", params: { quiet: true, x.y: "1" } }
initrd: { availableModules: [nvme] }
network: { renderer: NetworkManager }
install: { espMebibytes: 512, encryption: luks2 }
`,
    "acme/old/module.nix": "{ }\n",
    "acme/new/profile.yaml": `${base("acme/new")}
extends: [acme/old]
nixos: { imports: [b], options: { services.x.enable: false, "boot.supportedFilesystems": [ext4, xfs] } }
kernel: { params: { x.y: "2" }, blacklist: [bad] }
initrd: { availableModules: [nvme, uas] }
install: { espMebibytes: 1024 }
`,
    "acme/new/module.nix": "{ lib, ... }: { }\n",
  });
  const { compiled, findings } = compileProfiles(files, "/");
  t.same(findings, []);
  const profile = compiled.profiles.find(({ id }) => id === "acme/new");
  t.match(profile, {
    lineage: ["acme/new", "acme/old"],
    nixos: {
      imports: ["a", "b"],
      options: { "services.x.enable": false, "boot.supportedFilesystems": ["ext4", "xfs"] },
      modules: [{ id: "acme/old" }, { id: "acme/new" }],
    },
    kernel: { min: "6.1", params: { quiet: true, "x.y": "2" }, blacklist: ["bad"] },
    initrd: { availableModules: ["nvme", "uas"] },
    network: { renderer: "NetworkManager" },
    install: { espMebibytes: 1024, encryption: "luks2" },
  });
  t.same(lint(files), []);
});

t.test(
  "every defect is a finding at its line, and the others are compiled all the same",
  async (t) => {
    const params = (value: string) => `kernel: { params: { amdgpu.dcdebugmask: "${value}" } }`;
    const files = filesWith(t.testdir({}), {
      "acme/good/profile.yaml": base("acme/good"),
      "acme/yaml/profile.yaml": "id: [\n",
      "acme/key/profile.yaml": `${base("acme/key")}colour: red\n`,
      "acme/named/profile.yaml": base("acme/other-name"),
      "acme/circle/profile.yaml": `${base("acme/circle")}extends: [acme/circle]\n`,
      "acme/one/profile.yaml": `${base("acme/one")}${params("0x10")}\n`,
      "acme/two/profile.yaml": `${base("acme/two")}${params("0x410")}\n`,
      "acme/both/profile.yaml": `${base("acme/both")}extends: [acme/one, acme/two]\n`,
      "acme/quirk/profile.yaml": `${base("acme/quirk")}quirks: [{ id: x, effect: x, added: "2026-01-01", reviewBy: "2027-01-01" }]\n`,
      "acme/notes.txt": "not a folder\n",
    });
    const { compiled, findings } = compileProfiles(files, "/");
    t.same(
      compiled.profiles.map(({ id }) => id),
      ["acme/both", "acme/good", "acme/one", "acme/two"],
    );
    const texts = findings.map((finding) => formatFinding(finding).split("\n")[0] ?? "");
    const has = (pattern: RegExp) =>
      t.ok(
        texts.some((text) => pattern.test(text)),
        String(pattern),
        { texts },
      );
    has(/^acme\/yaml\/profile\.yaml:\d+:\d+ error/);
    has(/^acme\/key\/profile\.yaml:10:1 error colour: no such key/);
    has(/^acme\/named\/profile\.yaml:2:1 error id: must be `acme\/named`/);
    has(
      /^acme\/circle\/profile\.yaml:10:1 error extends: goes in a circle: acme\/circle extends acme\/circle/,
    );
    has(
      /^acme\/both\/profile\.yaml:\d+:\d+ error kernel\.params: acme\/one and acme\/two give amdgpu\.dcdebugmask different values/,
    );
    has(/^acme\/quirk\/profile\.yaml:10:\d+ error quirks\.0: .*sources/);
  },
);

t.test("power chosen is one daemon on and the other one off", async (t) => {
  const files = filesWith(t.testdir({}), {
    "acme/old/profile.yaml": `${base("acme/old")}power: tlp\n`,
    "acme/new/profile.yaml": `${base("acme/new")}extends: [acme/old]\npower: power-profiles-daemon\n`,
    "acme/heir/profile.yaml": `${base("acme/heir")}extends: [acme/new]\n`,
  });
  const { compiled, findings } = compileProfiles(files, "/");
  t.same(findings, []);
  const find = (id: string) => compiled.profiles.find((profile) => profile.id === id);
  const options = (tlp: boolean) => ({
    "services.power-profiles-daemon.enable": !tlp,
    "services.tlp.enable": tlp,
  });
  t.match(find("acme/old"), { power: "tlp", nixos: { options: options(true) } });
  t.match(find("acme/heir"), {
    power: "power-profiles-daemon",
    nixos: { options: options(false) },
  });
});

t.test(
  "a base has no rules, a component names devices, a model has both rules and tests",
  async (t) => {
    const base = (id: string, rest: string) =>
      `id: ${id}\ntitle: T\nvendor: Acme\nstatus: { level: declared, evidence: none }\n${rest}`;
    const tests = `tests:
  match: [{ name: a, facts: { pci: ["10de:2d58"] } }]
  noMatch: [{ name: b, facts: {} }]
`;
    const files = filesWith(t.testdir({}), {
      "acme/base/profile.yaml": base(
        "acme/base",
        "kind: base\nkernel: { params: { quiet: true } }\n",
      ),
      "acme/rules/profile.yaml": base(
        "acme/rules",
        'kind: base\nmatch: { any: [{ all: { pci: ["10de:*"] } }] }\n',
      ),
      "acme/model/profile.yaml": base("acme/model", "extends: [acme/base]\n"),
      "acme/card/profile.yaml": base(
        "acme/card",
        `kind: component\nmatch: { any: [{ all: { pci: ["10de:2d58"] } }] }\n${tests}`,
      ),
      "acme/name/profile.yaml": base(
        "acme/name",
        `kind: component\nmatch: { any: [{ all: { dmi: { boardName: ABCD } } }] }\n${tests}`,
      ),
    });
    const { compiled, findings } = compileProfiles(files, "/");
    t.same(
      compiled.profiles.map(({ id, kind }) => [id, kind]),
      [
        ["acme/base", "base"],
        ["acme/card", "component"],
      ],
    );
    t.match(compiled.profiles[0], { match: { any: [] } });
    t.match(
      findings.map((finding) => `${finding.document} ${finding.path}: ${finding.message}`),
      [
        "acme/model/profile.yaml match: is needed by a model",
        "acme/model/profile.yaml tests: is needed by a model",
        "acme/name/profile.yaml match.any.0: names no device, which a component is",
        "acme/rules/profile.yaml match: has no place in a base",
      ],
    );
  },
);

t.test("the tests of a component say where it is added", async (t) => {
  const text = (noMatch: string) => `id: acme/card
title: Card
vendor: Acme
kind: component
match: { any: [{ all: { pci: ["10de:2d58"] } }] }
status: { level: declared, evidence: none }
tests:
  match: [{ name: a, facts: { pci: ["10de:2d58"] } }]
  noMatch: [{ name: b, facts: { pci: ["${noMatch}"] } }]
`;
  const messages = (noMatch: string) =>
    lint(filesWith(t.testdir({}), { "acme/card/profile.yaml": text(noMatch) })).map(
      ({ message }) => message,
    );
  t.same(messages("10de:2d59"), []);
  t.same(messages("10de:2d58"), ["b: expected acme/card not to be added"]);
});

t.test("components that contradict a machine or each other are named", async (t) => {
  const card = (id: string, device: string, rest: string) => `id: ${id}
title: Card
vendor: Acme
kind: component
match: { any: [{ all: { pci: ["10de:${device}"] } }] }
status: { level: declared, evidence: none }
tests:
  match: [{ name: a, facts: { pci: ["10de:${device}"] } }]
  noMatch: [{ name: b, facts: { pci: ["10de:ffff"] } }]
${rest}
`;
  const files = filesWith(t.testdir({}), {
    "acme/model/profile.yaml": `${base("acme/model")}kernel: { params: { a.b: "1" } }\n`,
    "card/a/profile.yaml": card("card/a", "0001", 'kernel: { params: { a.b: "2" } }'),
    "card/b/profile.yaml": card("card/b", "0002", 'kernel: { params: { c.d: "1" } }\npower: tlp'),
    "card/c/profile.yaml": card("card/c", "0003", 'kernel: { params: { c.d: "2" } }'),
  });
  t.same(
    lint(files).map(({ document, path: place, message }) => `${document} ${place}: ${message}`),
    [
      "card/a/profile.yaml kernel.params.a.b: gives a.b another value than acme/model, in which it may be",
      "card/c/profile.yaml kernel.params.c.d: gives c.d another value than card/b, in which it may be",
    ],
  );
});

t.test("a quirk tells as data where it applies", async (t) => {
  const quirk = (applies: string) =>
    `quirks: [{ id: x, effect: x, sources: ["https://example.org/x"], added: "2026-01-01", reviewBy: "2027-01-01", applies: ${applies} }]\n`;
  const files = filesWith(t.testdir({}), {
    "acme/a/profile.yaml": `${base("acme/a")}${quirk('{ kernel: { before: "6.8" }, firmware: { from: "03.05" } }')}`,
    "acme/b/profile.yaml": `${base("acme/b")}${quirk("{ kernel: { before: newest } }")}`,
    "acme/c/profile.yaml": `${base("acme/c")}${quirk("{}")}`,
  });
  const { compiled, findings } = compileProfiles(files, "/");
  t.match(compiled.profiles, [
    { quirks: [{ applies: { kernel: { before: "6.8" }, firmware: { from: "03.05" } } }] },
  ]);
  t.same(
    findings.map(({ path }) => path),
    ["quirks.0.applies.kernel.before", "quirks.0.applies"],
  );
});

t.test("the lint names rules and settings that go wrong later", async (t) => {
  const cases: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] =
    [
      {
        name: "vendor alone",
        text: base("acme/x").replace(', productName: "acme/x" } } }] }', " } } }] }"),
        says: /vendor alone/,
      },
      { name: "placeholder", text: base("acme/x", "Default string"), says: /never holds/ },
      {
        name: "short prefix",
        text: `${base("acme/x")}witness: { any: [{ all: { dmi: { boardName: { prefix: AB } } } }] }`,
        says: /prefix "AB" is short/,
      },
      {
        name: "expression",
        text: `${base("acme/x")}witness: { any: [{ all: { dmi: { boardName: { regex: "A.*", reason: new ones come } } } }] }`,
        says: /regular expression: new ones come/,
      },
      {
        name: "broken expression",
        text: `${base("acme/x")}witness: { any: [{ all: { dmi: { boardName: { regex: "(", reason: x } } } }] }`,
        says: /^is no regular expression: unterminated group/,
      },
      {
        name: "broken expression that a test comes to",
        text: base("acme/x").replace(
          'productName: "acme/x" } } }] }',
          'productName: { regex: "[", reason: x } } } }] }',
        ),
        says: /^is no regular expression: unterminated character class/,
      },
      {
        name: "two power daemons",
        text: `${base("acme/x")}nixos: { options: { services.tlp.enable: true, services.power-profiles-daemon.enable: true } }`,
        says: /TLP and power-profiles-daemon/,
      },
      {
        name: "a parameter in the wrong place",
        text: `${base("acme/x")}nixos: { options: { boot.kernelParams: [quiet] } }`,
        says: /place of its own/,
      },
      {
        name: "no option name",
        text: `${base("acme/x")}nixos: { options: { "a b": 1 } }`,
        says: /is no name of an option/,
      },
      {
        name: "quirk past its day",
        text: `${base("acme/x")}quirks: [{ id: x, effect: x, sources: ["https://example.org/x"], added: "2020-01-01", reviewBy: "2021-01-01" }]`,
        says: /to be looked at by 2021-01-01/,
      },
      {
        name: "test that fails",
        text: base("acme/x").replace("productName: Other", 'productName: "acme/x"'),
        says: /another: expected any other profile, got acme\/x/,
      },
      {
        name: "test without a machine",
        text: base("acme/x").replace(
          "facts: { dmi: { sysVendor: Acme, productName: Other } }",
          "fixture: fixtures/none.json",
        ),
        says: /expected `facts`, or a `fixture`/,
      },
    ];
  for (const { name, text, says } of cases) {
    const files = filesWith(t.testdir({}), { "acme/x/profile.yaml": text });
    const messages = lint(files).map(({ message }) => message);
    t.ok(
      messages.some((message) => says.test(message)),
      name,
      { messages },
    );
  }
});

t.test("an option may have the name of what every object has", async (t) => {
  const text = `${base("acme/x")}nixos: { options: { constructor: 1, __proto__: 1 } }\n`;
  t.same(lint(filesWith(t.testdir({}), { "acme/x/profile.yaml": text })), []);
});

t.test("a test that fails says what speaks against the profile", async (t) => {
  const other = { "acme/y/profile.yaml": base("acme/y", "Y") };
  const misspelt = base("acme/x").replace('productName: "acme/x"', "productName: wrong");
  const cases = [
    [
      misspelt,
      "itself: expected acme/x, got no profile (none)",
      'dmi.productName: expected "wrong"; got "acme/x"',
    ],
    [
      base("acme/x").replaceAll('"acme/x"', "Y"),
      "itself: expected acme/x, got no profile (ambiguous)",
      /^fits as well as acme\/y \(specificity \d+\), and neither extends the other$/,
    ],
  ] as const;
  for (const [text, message, hint] of cases) {
    const found = lint(filesWith(t.testdir({}), { ...other, "acme/x/profile.yaml": text }));
    t.match(
      found.filter(({ code, document }) => code === "profile/test-failed" && /x/.test(document)),
      [{ message, hint }],
    );
  }
});

t.test("two profiles with the same rule are named", async (t) => {
  const files = filesWith(t.testdir({}), {
    "acme/a/profile.yaml": base("acme/a", "Laptop"),
    "acme/b/profile.yaml": base("acme/b", "Laptop"),
  });
  t.match(
    lint(files)
      .map(({ message }) => message)
      .join("\n"),
    /the same clause stands in acme\/a/,
  );
});

t.test("a folder that is not there has no profiles", async (t) => {
  const none = hostFiles(t.testdir({}), () => {});
  const { compiled, findings, folders } = compileProfiles(none, "/");
  t.same([compiled.profiles, findings, folders], [[], [], []]);
});

t.test("one file is checked wherever it lies, with what lies beside it", async (t) => {
  const files = filesWith(t.testdir({}), {
    "draft.yaml": `${base("acme/draft")}colour: red\nmtach: 1\n`,
    "good.yaml": base("acme/draft"),
    "heir.yaml": `${base("acme/heir")}extends: [acme/old]\n`,
    "p/acme/old/profile.yaml": `${base("acme/old")}wrong: 1\n`,
    "p/acme/base/profile.yaml": base("acme/base"),
    "p/acme/heir/profile.yaml": `${base("acme/heir")}extends: [acme/base]\n`,
    "p/acme/twin/profile.yaml": base("acme/twin", "acme/base"),
  });
  const check = (file: string) => {
    const text = files.readText(file) ?? "";
    const options = { file, text, document: "given", today: "2026-11-24" };
    return lintProfileFile(files, options).map(formatFinding);
  };
  t.same(check("/good.yaml"), []);
  t.match(check("/draft.yaml"), [
    /^given:10:1 error colour: no such key/,
    /^given:11:1 error mtach: no such key/,
  ]);
  t.match(check("/heir.yaml"), [
    /^given:\d+:1 error extends: acme\/heir extends .*, which does not exist/,
  ]);
  t.same(check("/p/acme/heir/profile.yaml"), [], "what others have is not its fault");
  t.match(check("/p/acme/twin/profile.yaml"), [
    /error match\.any\.0: the same clause stands in acme\/base/,
    /error tests\.match\.0/,
  ]);
});

t.test(
  "an import that nixos-hardware has not is an error, where its modules are known",
  async (t) => {
    const folder = {
      "acme/x/profile.yaml": `${base("acme/x")}nixos: { imports: [acme/laptpo] }\n`,
    };
    t.same(lint(filesWith(t.testdir({}), folder)), []);
    const declared = { v: 1, revision: "r1", narHash: "", profiles: [], left: [] };
    const found = lint(
      filesWith(t.testdir({}), {
        ...folder,
        "nixos-hardware.json": JSON.stringify({ ...declared, modules: ["acme/laptop"] }),
      }),
    ).map(formatFinding);
    t.match(found, [/^acme\/x\/profile\.yaml:\d+:\d+ error .*no module acme\/laptpo at r1/]);
    t.match(found, [/did you mean acme\/laptop\?/]);
  },
);

t.test(
  "a declared profile may refine the machines of a test, and no other may take them",
  async (t) => {
    const declare = (parent: string, product: string) => ({
      id: "nixos-hardware/acme",
      title: "Acme",
      vendor: "Acme",
      extends: parent,
      module: "acme",
      match: {
        any: [{ all: { dmi: { sysVendor: "Acme", productName: product, biosVendor: "Acme" } } }],
      },
      needs: [],
      evidence: "a test",
    });
    const lintWith = (parent: string, product: string) => {
      const head = { v: 1, revision: "r1", narHash: "", left: [], modules: ["acme"] };
      const facts = (name: string) =>
        `facts: { dmi: { sysVendor: Acme, productName: "${name}", biosVendor: Acme } }`;
      const [family = ""] = base("acme/family", "Laptop").split("tests:");
      return lint(
        filesWith(t.testdir({}), {
          "acme/family/profile.yaml": `${family}tests:
  match: [{ name: laptop, ${facts("Laptop")}, confidence: likely }]
  noMatch: [{ name: another, ${facts("Other")} }]
`,
          "acme/stranger/profile.yaml": base("acme/stranger", "Stranger"),
          "nixos-hardware.json": JSON.stringify({ ...head, profiles: [declare(parent, product)] }),
        }),
      ).map(formatFinding);
    };
    t.same(lintWith("acme/family", "Laptop"), []);
    t.match(lintWith("acme/stranger", "Laptop"), [
      /family.*match\.0: laptop: expected acme\/family or a declared profile that extends it, got nixos-hardware\/acme/,
    ]);
    t.match(lintWith("acme/family", "Other"), [
      /family.*noMatch\.0: another: expected any other profile, got nixos-hardware\/acme, which extends acme\/family/,
    ]);
  },
);
