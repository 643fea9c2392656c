import { writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { firstlight } from "./try-commands.ts";

const text = `#cloud-config
pakages: [htop]
apt: {}
`;

function file(t: Test): string {
  const name = path.join(t.testdir(), "a.yaml");
  writeFileSync(name, text);
  return name;
}

t.test("validate holds cloud-config against all that cloud-init takes", (t) => {
  const name = file(t);
  const { code, stdout } = firstlight(["validate", name, "--json"]);
  t.equal(code, 4);
  const said = JSON.parse(stdout).findings.map(
    (finding: { line: number; level: string; code: string }) =>
      `${finding.line} ${finding.level} ${finding.code}`,
  );
  t.same(said, [
    "2 error cloud-config/unknown-key",
    "3 note cloud-config/no-meaning",
    "3 error cloud-config/invalid",
  ]);
  t.equal(firstlight(["translate", name]).code, 0, "what is not translated stops no node");
  t.end();
});

t.test("validate --annotate prints the document with what is said of each line", (t) => {
  const { code, stdout } = firstlight(["validate", "--annotate", file(t)]);
  t.equal(code, 4);
  t.match(
    stdout,
    `2 │ pakages: [htop]
  │ ^ error pakages: cloud-config has no such key [cloud-config/unknown-key]
  │   did you mean \`packages\`?
3 │ apt: {}
`,
  );
  t.end();
});

t.test("validate checks homes without knowing what an image pins", (t) => {
  const document = (home: string) => `#firstlight
version: 1
users: { alice: {} }
home: { alice: ${home} }
`;
  const said = (home: string) => {
    const { code, stdout } = firstlight(["validate", "-", "--json"], document(home));
    const { findings } = JSON.parse(stdout) as { findings: { line: number; code: string }[] };
    return [code, ...findings.map((finding) => `${finding.line} ${finding.code}`)];
  };
  t.same(said("{ packages: [git] }"), [0, "4 render/pin-unknown"]);
  t.same(said("{ nixpkgs: {} }"), [4, "4 render/pin-unknown", "4 render/home-option"]);
  t.match(firstlight(["translate", "-", "--format", "nix"], document("{ packages: [git] }")), {
    code: 0,
    stdout: /home-manager = \{[\s\S]*packages = \[ pkgs\.git \];/,
    stderr: /note home: needs an image that pins home-manager/,
  });
  t.end();
});

t.test("validate says what would fit in the place of a template's parameter", (t) => {
  const document = `#firstlight
version: 1
templates:
  - { name: docker-host, parameters: { dataRot: /srv, storageDriver: brtfs } }
  - { name: k3s-agent, parameters: { tokenFile: token } }
  - { name: auto-gc }
  - { name: auto-gc, parameters: { olderThan: 7d } }
`;
  const { code, stdout } = firstlight(["validate", "-", "--json"], document);
  t.equal(code, 4);
  const { findings } = JSON.parse(stdout) as {
    findings: { line: number; code: string; message: string; hint: string }[];
  };
  t.same(
    findings.map(({ line, message, hint }) => `${line} ${message}; ${hint}`),
    [
      "4 template docker-host: has no parameter `dataRot`; did you mean `dataRoot`?",
      "4 template docker-host: storageDriver must be aufs, btrfs, devicemapper, overlay, overlay2 or zfs; did you mean `btrfs`?",
      "5 template k3s-agent: lacks `serverAddr`; write it like `https://10.0.0.10:6443`",
      "5 template k3s-agent: tokenFile does not have the form that docs/templates.md shows; write it like `/var/lib/secrets/k3s-token`",
      "7 template auto-gc is used already at -:6, and a machine has one of it; put the parameters of both together",
    ],
  );
  t.end();
});
