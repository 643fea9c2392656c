import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { hostIo } from "#core/host-io.ts";
import { digestAnswers, traceIo } from "#core/traced-io.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { compileProfiles, shippedProfiles } from "./compile.ts";
import { lintProfiles } from "./lint.ts";
import { explainMatch, matchProfile } from "./match.ts";
import { withOverlay } from "./overlay.ts";
import { sampleFacts } from "./sample-facts.ts";

const rule = (product: string) =>
  `match: { any: [{ all: { dmi: { sysVendor: Acme, productName: "${product}" } } }] }`;
const profile = (id: string, product: string, more = "") => `id: ${id}
title: ${id}
vendor: Acme
${rule(product)}
status: { level: declared, evidence: none }
tests:
  match: [{ name: itself, facts: { dmi: { sysVendor: Acme, productName: "${product}" } } }]
  noMatch: [{ name: another, facts: { dmi: { sysVendor: Acme, productName: Other } } }]
${more}`;
const shippedFiles = {
  "acme/family/profile.yaml": profile(
    "acme/family",
    "Laptop 1",
    "kernel: { params: { a: old } }\n",
  ),
  "acme/one/profile.yaml": profile("acme/one", "One", "extends: [acme/family]\n"),
  "nixos-hardware.json": JSON.stringify({
    ...{ v: 1, revision: "r", narHash: "", left: [], modules: ["acme/two"] },
    profiles: [
      {
        ...{ id: "nixos-hardware/acme-two", title: "Two", vendor: "Acme", extends: "acme/family" },
        match: { any: [{ all: { dmi: { sysVendor: "Acme", productName: "Two" } } }] },
        ...{ module: "acme/two", needs: [], evidence: "a test" },
      },
    ],
  }),
};

function write(root: string, files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true, mode: 0o755 });
    writeFileSync(path.join(root, name), text, { mode: 0o644 });
  }
  return hostFiles(root, () => {});
}

const shippedIn = write(t.testdir(), shippedFiles);
const compilation = compileProfiles(shippedIn, "/");
const declared = JSON.parse(shippedFiles["nixos-hardware.json"]);
const shipped = shippedProfiles(compilation, declared);
const trustedUsers = [0, process.getuid?.() ?? 0];

function overlay(root: string, own: Readonly<Record<string, string>>) {
  const files = write(
    root,
    Object.fromEntries(Object.entries(own).map(([k, v]) => [`own/${k}`, v])),
  );
  return withOverlay(shipped, { files, directory: "/own", trustedUsers });
}
const machine = (productName: string) =>
  sampleFacts({ architecture: "x86_64", dmi: { sysVendor: "Acme", productName } });

t.test(
  "a profile of the owner stands on those that ship, and replaces one of its id",
  async (t) => {
    const set = overlay(t.testdir(), {
      "mine/three/profile.yaml": profile("mine/three", "Three", "extends: [acme/one]\n"),
      "mine/three/module.nix": "{ }\n",
      "acme/family/profile.yaml": profile("acme/family", "Big", "kernel: { params: { a: new } }\n"),
    });
    t.same(set.findings, []);
    t.equal(set.minedRevision, "r");
    t.equal(matchProfile(machine("Three"), set).applied, "mine/three");
    t.match(set.find("mine/three"), {
      lineage: ["mine/three", "acme/one", "acme/family"],
      kernel: { params: { a: "new" } },
      nixos: { modules: [{ id: "mine/three", text: "{ }\n" }] },
    });
    t.equal(matchProfile(machine("Big"), set).applied, "acme/family");
    t.equal(matchProfile(machine("Laptop 1"), set).profile, null);
    t.same(
      set.find("nixos-hardware/acme-two")?.kernel.params,
      { a: "new" },
      "heirs have it as well",
    );
    t.same(shipped.find("acme/one")?.kernel.params, { a: "old" }, "without it nothing is another");
  },
);

t.test("a model of nixos-hardware is extended or replaced as any other", async (t) => {
  const heir = overlay(t.testdir(), {
    "mine/two/profile.yaml": profile(
      "mine/two",
      "Two",
      "extends: [nixos-hardware/acme-two]\nkernel: { params: { b: mine } }\n",
    ),
  });
  t.same(heir.findings, []);
  const match = explainMatch(machine("Two"), heir);
  t.match(match, { profile: "mine/two", applied: "mine/two" });
  t.same(match.refines, ["nixos-hardware/acme-two"]);
  t.match(heir.find("mine/two"), {
    lineage: ["mine/two", "nixos-hardware/acme-two", "acme/family"],
    nixos: { imports: ["acme/two"] },
    kernel: { params: { a: "old", b: "mine" } },
  });
  t.same(heir.find("nixos-hardware/acme-two"), shipped.find("nixos-hardware/acme-two"));
  const own = overlay(t.testdir(), {
    "nixos-hardware/acme-two/profile.yaml": profile("nixos-hardware/acme-two", "Two"),
  });
  t.same(own.findings, []);
  t.equal(matchProfile(machine("Two"), own).applied, "nixos-hardware/acme-two");
  t.same(own.find("nixos-hardware/acme-two")?.nixos.imports, [], "whole");
  t.same(
    [...own.rules].map(({ id }) => id),
    [...shipped.rules].map(({ id }) => id),
  );
});

t.test("a broken one is told, and the shipped ones are used", async (t) => {
  const good = { "mine/good/profile.yaml": profile("mine/good", "Good") };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["no YAML", { "mine/x/profile.yaml": "a: [" }, /^\/own\/mine\/x\/profile\.yaml:1/],
    [
      "no such key",
      { "mine/x/profile.yaml": profile("mine/x", "X", "colour: red\n") },
      /no such key/,
    ],
    [
      "stands on nothing",
      { "mine/x/profile.yaml": profile("mine/x", "X", "extends: [acme/none]\n") },
      /^\/own\/mine\/x\/profile\.yaml:\d+:\d+ warning extends: mine\/x extends acme\/none, which does not exist/,
    ],
    [
      "goes in a circle through a shipped one",
      { "acme/family/profile.yaml": profile("acme/family", "F", "extends: [acme/one]\n") },
      /goes in a circle: acme\/family extends acme\/one extends acme\/family/,
    ],
    [
      "an expression that is none",
      {
        "mine/x/profile.yaml": profile("mine/x", "X").replace(
          /^match:.*$/m,
          "match: { any: [{ all: { dmi: { sysVendor: Acme, productName: X } }, not: [{ dmi: { boardName: { regex: '(', reason: x } } }] }] }",
        ),
      },
      /^\/own\/mine\/x\/profile\.yaml:\d+:\d+ warning match\.any\.0\.not\.0\.dmi\.boardName: is no regular expression: unterminated group/,
    ],
    ["too large", { "mine/x/profile.yaml": "#".repeat(300_000) }, /^\/own warning: /],
  ];
  for (const [name, files, expected] of cases) {
    const set = overlay(t.testdir(), { ...good, ...files });
    t.match((set.findings ?? []).map(formatFinding).join("\n"), expected, name);
    t.ok(
      set.findings?.every(({ level }) => level !== "error"),
      `${name}: no reason to stop`,
    );
    t.same(
      [...set.rules].map(({ id }) => id),
      [...shipped.rules].map(({ id }) => id),
      name,
    );
  }
  const files = hostFiles(t.testdir(), () => {});
  const absent = withOverlay(shipped, { files, directory: "/own", trustedUsers });
  t.match(absent.findings, [{ document: "/own", level: "warning", message: /no such directory/ }]);
  const { findings } = tryRender({}, { profiles: absent });
  t.match(
    findings,
    [{ document: "/own", code: "profile/invalid" }],
    "it is in the report of a boot",
  );
});

t.test(
  "the lint knows what they stand on, and runs their tests among the shipped ones",
  async (t) => {
    const lint = (own: Readonly<Record<string, string>>) =>
      lintProfiles(write(t.testdir(), own), {
        ...{ directory: "/", today: "2026-11-28", beside: shipped },
      }).map(formatFinding);
    const good = profile("mine/three", "Three", "extends: [acme/one]\n");
    t.same(lint({ "mine/three/profile.yaml": good }), []);
    const heir = profile("mine/two", "Two", "extends: [nixos-hardware/acme-two]\n");
    t.same(lint({ "mine/two/profile.yaml": heir }), []);
    t.match(lint({ "mine/two/profile.yaml": profile("mine/two", "Two") }), [
      /error tests\.match\.0: itself: expected mine\/two .*, got no profile \(ambiguous\).*\n {2}fits as well as nixos-hardware\/acme-two .*, and neither extends the other$/,
    ]);
    t.match(lint({ "mine/three/profile.yaml": profile("mine/three", "One") }), [
      /^mine\/three\/profile\.yaml:\d+:\d+ error tests\.match\.0: itself: .*ambiguous/,
    ]);
  },
);

t.test("the lint knows the modules that the shipped nixos-hardware has", async (t) => {
  const lint = (module: string) => {
    const text = profile("mine/three", "Three", `nixos: { imports: [${module}] }\n`);
    return lintProfiles(write(t.testdir(), { "mine/three/profile.yaml": text }), {
      ...{ directory: "/", today: "2026-11-28", beside: shipped },
    });
  };
  t.same(lint("acme/two"), []);
  t.match(lint("acme/tow"), [
    {
      ...{ path: "nixos.imports.0", level: "error", code: "profile/lint" },
      ...{ message: "nixos-hardware has no module acme/tow at r", hint: "did you mean acme/two?" },
    },
  ]);
});

t.test("the lint of nothing is an error that says what it looked for", async (t) => {
  const root = t.testdir({ file: "", empty: {}, flat: { "profile.yaml": "id: a/b\n" } });
  const files = hostFiles(root, () => {});
  const cases = [
    ["/absent", "there is no such directory"],
    ["/file", "is no directory"],
    ["/empty", "holds no VENDOR/MODEL/profile.yaml"],
    ["/flat", "holds no VENDOR/MODEL/profile.yaml"],
  ] as const;
  for (const beside of [undefined, shipped])
    for (const [directory, message] of cases) {
      const options = { directory, today: "2026-11-28", ...(beside && { beside }) };
      t.match(
        lintProfiles(files, options),
        [{ document: directory, level: "error", code: "profile/invalid", message, hint: String }],
        directory,
      );
    }
});

t.test(
  "what the directory holds is asked on the way, so that a boot sees a change of it",
  async (t) => {
    const root = t.testdir();
    const own = { "own/mine/good/profile.yaml": profile("mine/good", "Good") };
    write(root, own);
    const io = hostIo({ root });
    const trace = traceIo(io);
    withOverlay(shipped, { files: trace.io.files, directory: "/own", trustedUsers });
    const asked = trace.trace();
    if (asked === undefined) throw new Error("expected nothing that is no question");
    const isSame = () => digestAnswers(io, asked.questions) === asked.answers;
    t.ok(isSame());
    const changes: readonly (readonly [string, () => void])[] = [
      ["another text", () => write(root, { "own/mine/good/profile.yaml": "title: other" })],
      ["a module", () => write(root, { ...own, "own/mine/good/module.nix": "{ }" })],
      ["another profile", () => write(root, { ...own, "own/mine/more/profile.yaml": "x: 1" })],
      ["another mode", () => chmodSync(path.join(root, "own"), 0o777)],
    ];
    for (const [name, change] of changes) {
      change();
      t.notOk(isSame(), name);
      rmSync(path.join(root, "own"), { recursive: true });
      write(root, own);
      t.ok(isSame());
    }
  },
);

t.test("what another user may write to, or has, is not used", async (t) => {
  const root = t.testdir();
  const own = { "mine/good/profile.yaml": profile("mine/good", "Good") };
  t.same(overlay(root, own).findings, []);
  for (const part of ["", "/mine", "/mine/good", "/mine/good/profile.yaml"]) {
    chmodSync(path.join(root, `own${part}`), 0o777);
    const set = overlay(root, own);
    const said = { message: /may be written by others/, hint: /chmod -R go-w/ };
    t.match(set.findings, [{ document: `/own${part}`, ...said }], part);
    t.equal(set.find("mine/good"), undefined);
    chmodSync(path.join(root, `own${part}`), 0o755);
  }
  // As NixOS has it: /etc holds links into the store.
  rmSync(path.join(root, "linked"), { force: true });
  symlinkSync("own", path.join(root, "linked"));
  const files = hostFiles(root, () => {});
  const linked = withOverlay(shipped, { files, directory: "/linked", trustedUsers });
  t.same(linked.findings, []);
  t.ok(linked.find("mine/good"));
  const strange = withOverlay(shipped, { files, directory: "/own", trustedUsers: [4711] });
  t.match(strange.findings?.[0], {
    ...{ document: "/own", message: "does not belong to root", hint: /chown -R root/ },
  });
});

t.test(
  "a component that contradicts the machine's profile is told, which keeps its value",
  async (t) => {
    const component = profile(
      "mine/part",
      "Part",
      "kind: component\nkernel: { params: { a: part } }\n",
    )
      .replace(/^match:.*$/m, 'match: { any: [{ all: { pci: ["1234:5678"] } }] }')
      .replaceAll(/facts: .*? \} \}/g, 'facts: { pci: ["1234:5678"] }');
    const set = overlay(t.testdir(), { "mine/part/profile.yaml": component });
    t.same(set.findings, []);
    const dmi = { sysVendor: "Acme", productName: "Laptop 1" };
    const facts = sampleFacts({ architecture: "x86_64", dmi, pci: ["1234:5678"] });
    const match = matchProfile(facts, set);
    t.match(match, { applied: "acme/family", components: [{ id: "mine/part" }] });
    const { sources, findings } = tryRender({}, { facts, match, profiles: set });
    t.match(findings, [
      {
        ...{ document: "mine/part/profile.yaml", path: "kernel.params.a", level: "warning" },
        ...{ code: "profile/conflict", message: /acme\/family/ },
      },
    ]);
    const hardware = sources.files.find(({ path }) => path === "firstlight/hardware.nix");
    t.match(hardware?.content, '"a=old"');
  },
);
