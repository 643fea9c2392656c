import { existsSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test(
  "the release for render has the form of the settings, before anything is written",
  async (t) => {
    const out = path.join(t.testdir(), "out");
    const render = (release: string) =>
      firstlight(["render", "--out", out, `--state-version=${release}`]);
    for (const wrong of ["", "banana", "25.1", "25.11 ", "v25.11"]) {
      const { code, stderr } = render(wrong);
      t.equal(code, 4, wrong);
      t.match(stderr, `--state-version: expected a release of NixOS, got ${JSON.stringify(wrong)}`);
    }
    t.notOk(existsSync(out));
    t.match(render("25.05"), { code: 0 });
  },
);

t.test(
  "files of a document with errors are written to be looked at, and that is said",
  async (t) => {
    const out = path.join(t.testdir(), "out");
    const render = (text: string) => firstlight(["render", "--user-data", "-", "--out", out], text);
    const { code, stderr, stdout } = render("#cloud-config\nhostname: [a]\n");
    t.equal(code, 4);
    t.match(stderr, /what has an error is not in the files: they are for looking at/);
    t.match(stdout, /files in .*out/);
    t.notMatch(render("#cloud-config\nhostname: a\n").stderr, /looking at/);
  },
);
