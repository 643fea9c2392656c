import t from "tap";
import type { Command, Spec } from "#generated/provisioner/spec/v1.ts";
import { tryRender } from "./try-render.ts";

const wanted = "[Service]\nExecStart=/opt/a\n[Install]\nWantedBy=multi-user.target\n";
const path = "/etc/systemd/system/a.service";
const files = [{ path, content: wanted }];
const commands: Command[] = [
  {
    ...{ name: "runcmd", when: "late", frequency: "instance" },
    ...{ script: { secretRef: "runcmd" }, enables: ["a.service"] },
  },
];

function said(spec: Omit<Spec, "version">): readonly string[] {
  const { findings } = tryRender({ commands, ...spec });
  return findings
    .filter(({ code }) => code !== "render/file-twice")
    .map((finding) => `${finding.level} ${finding.code} ${finding.path}: ${finding.message}`);
}

t.test(
  "a unit that a script enables is as if it were said elsewhere: nothing is told of it",
  async (t) => {
    t.same(said({ files }), []);
  },
);

t.test("what no script can turn on is warned of, and left as it is", async (t) => {
  const not = /^warning render\/not-enabled commands\.0\.enables\.0: .*does nothing for a\.service/;
  const cases: Readonly<Record<string, Omit<Spec, "version">>> = {
    "not written": {},
    "a secret": { files: [{ path, secret: { secretRef: "runcmd" } }] },
    "added to": { files: [{ path, content: wanted, append: true }] },
    "written twice": { files: [...files, ...files] },
    "written twice, by another path": {
      files: [...files, { path: path.replace("/s", "//s"), content: "" }],
    },
    "a unit as well": { files, units: { "a.service": { wantedBy: ["multi-user.target"] } } },
    "wanted by nothing": { files: [{ path, content: "[Service]\nExecStart=/opt/a\n" }] },
  };
  for (const [what, spec] of Object.entries(cases)) {
    t.match(
      said(spec).filter((line) => line.includes("enables")),
      [not],
      what,
    );
  }
});

t.test("what its [Install] asks for beside that is named", async (t) => {
  const content = `${wanted}Alias=b.service\nAlso=c.socket\nRequiredBy=d.target\n`;
  t.match(said({ files: [{ path, content }] }), [
    /^warning render\/not-enabled commands\.0\.enables\.0: .*`Alias`, `Also`, `RequiredBy`/,
  ]);
});
