import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { validate } from "#generated/agent/facts/facts-report.validate.js";
import { publishedSchemas } from "./published-schemas.ts";
import { firstlight, machine } from "./try-commands.ts";

const repository = path.join(import.meta.dirname, "..");

// Each command is a process of its own.
t.setTimeout(600_000);

t.test("a report of this machine is for a person, or one document", async (t) => {
  const { code, stdout } = firstlight(["facts", "--report", "--json"]);
  t.equal(code, 0);
  const report: unknown = JSON.parse(stdout);
  t.ok(validate(report), "fits its schema", { errors: validate.errors });
  const shown = firstlight(["facts", "--report"]).stdout;
  t.match(shown, / processor .*^asked for [0-9]+ ms$/ms);
  t.match(shown, /^(nobody contradicts the kernel|contradicted:)$/m);
});

t.test("only this machine can be asked, and by one of the two", async (t) => {
  const root = machine(t, "#cloud-config\n{}\n");
  t.match(firstlight(["facts", "--report", "--root", root]), {
    code: 4,
    stderr: /--report looks at this machine, and not at a --root/,
  });
  t.match(firstlight(["facts", "--report", "--witness"]), {
    code: 4,
    stderr: /expected one of --report, --witness and --format/,
  });
});

t.test("a report for NixOS is printed, and read back with a log around it", async (t) => {
  const root = machine(t, "#cloud-config\n{}\n");
  const { code, stdout } = firstlight(["facts", "--root", root, "--format", "facter"]);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { version: 1, system: "aarch64-linux", virtualisation: "none" });
  const match = (text: string) => {
    const file = path.join(root, "facter.json");
    writeFileSync(file, text);
    return firstlight(["profiles", "match", "--facts", file]);
  };
  t.match(match(`building '/nix/store/x.drv'...\n{ this is a log }\n${stdout}\ndone\n`), {
    code: 0,
    stdout: /generic\/aarch64/,
  });
  const bytes = Math.floor(stdout.length / 2);
  t.match(match(stdout.slice(0, bytes)), {
    code: 4,
    stderr: new RegExp(`facter.json: cut off at byte ${bytes}: .*facts/invalid`, "s"),
  });
  t.match(match(stdout.replace('"version": 1', '"version": 3')), {
    code: 4,
    stderr: /a report of nixos-facter of version 3; 1 and 2 are understood/,
  });
  t.match(firstlight(["facts", "--root", root, "--format", "yaml"]), {
    code: 4,
    stderr: /expected --format facter, not yaml/,
  });
});

t.test(
  "the schema of the facts, and that of a report, is printed as it is published",
  async (t) => {
    for (const [args, name] of [
      [[], "facts"],
      [["--report"], "facts-report"],
    ] as const) {
      const { code, stdout } = firstlight(["facts", "--schema", ...args]);
      t.equal(code, 0);
      t.equal(stdout, readFileSync(path.join(repository, publishedSchemas[name]), "utf8"), name);
    }
    t.match(firstlight(["facts", "--schema", "--witness"]), {
      code: 4,
      stderr: /--schema is that of the facts, or of --report/,
    });
  },
);

t.test("the schemas are those by which other programs can check what is printed", async (t) => {
  const { stdout } = firstlight(["facts", "--schema"]);
  const root = machine(t, "#cloud-config\n{}\n");
  const facts: unknown = JSON.parse(firstlight(["facts", "--root", root, "--json"]).stdout);
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const check = new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(stdout) as object);
  t.ok(check(facts), "facts fit the printed schema", { errors: check.errors });
  t.notOk(check({ ...(facts as object), more: 1 }));
});
