import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test(
  "an apply without a datasource has applied nothing, and says what was looked for",
  async (t) => {
    const root = machine(t, "");
    const seed = path.join(root, "var/lib/cloud/seed/nocloud");
    rmSync(seed, { recursive: true });
    writeFileSync(seed, "");
    const apply = (...more: readonly string[]) =>
      firstlight(["apply", "--driver", "dry", "--root", root, ...more]);
    const { code, stdout } = apply();
    t.equal(code, 75);
    t.match(stdout, /^nothing applied: no datasource: looked for .*NoCloud/);
    t.match(stdout, "/var/lib/cloud/seed/nocloud: it is a file, a directory with meta-data");
    t.match(stdout, "fill /var/lib/cloud/seed/nocloud");
    t.match(JSON.parse(apply("--json").stdout), { outcome: "disabled", exitCode: 75 });
    t.match(firstlight(["discover", "--root", root]), {
      code: 75,
      stderr: /NoCloud: .*it is a file/,
    });
    t.match(firstlight(["boot", "--driver", "dry", "--root", root]), {
      code: 0,
      stdout: /^disabled: /,
    });

    mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
    writeFileSync(path.join(root, "etc/firstlight/disabled"), "");
    t.match(apply(), { code: 77, stdout: /^nothing applied: / });
  },
);
