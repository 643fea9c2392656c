import t from "tap";
import { validate } from "#generated/agent/facts/facts-report.validate.js";
import { firstlight, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test("a report of this machine is for a person, or one document", async (t) => {
  const { code, stdout } = firstlight(["facts", "--report", "--json"]);
  t.equal(code, 0);
  const report: unknown = JSON.parse(stdout);
  t.ok(validate(report), "fits its schema", { errors: validate.errors });
  const shown = firstlight(["facts", "--report"]).stdout;
  t.match(shown, /^processor .*^asked for [0-9]+ ms$/ms);
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
    stderr: /expected one of --report and --witness/,
  });
});
