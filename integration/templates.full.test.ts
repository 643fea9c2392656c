import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";
import { writeSeed } from "./machines/write-seed.ts";

t.setTimeout(120_000);

const program = path.join(import.meta.dirname, "../dist/firstlight.js");

t.test("a node whose user-data is a template, asked by templates and for its times", (t) => {
  const root = t.testdir();
  writeMachine(root, qemuQ35);
  const userData = `## template: jinja
#cloud-config
hostname: edge-{{ v1.instance_id }}
{% for each in range(2) %}
# {{ each }}
{% endfor %}
firstlight: { health: { passes: 1, interval: 1ms, timeout: 1s } }
`;
  writeSeed(root, "i-7", userData);
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, ...args, "--root", root], { encoding: "utf8" });

  t.match(run("boot", "-q", "--driver", "dry"), { status: 0 });
  const [file = ""] = globSync("var/lib/firstlight/sources/*/firstlight/instance.nix", {
    cwd: root,
  });
  t.match(readFileSync(path.join(root, file), "utf8"), /hostName = "edge-i-7";/);

  const ask = (template: string) => run("query", "--format", template);
  t.match(ask("{{ v1.instance_id }} {{ platform }} {{ ds.meta_data['instance-id'] }}"), {
    status: 0,
    stdout: "i-7 nocloud i-7\n",
  });
  t.match(ask("{{ nosuch }}"), {
    stdout: "CI_MISSING_JINJA_VAR/nosuch\n",
    stderr: /not there: nosuch/,
  });
  t.match(ask("{{ nosuch.more }}"), { status: 4, stdout: "", stderr: /"nosuch" is undefined/ });
  t.match(run("query", "--format", "x", "v1"), {
    status: 4,
    stderr: /one of KEY, --all and --format/,
  });
  const [keys, all] = [JSON.parse(run("query").stdout), JSON.parse(run("query", "--all").stdout)];
  t.same(all, keys);

  t.match(run("analyze", "show"), {
    status: 0,
    stdout: /ms {2}discover\n.*\n {2}NoCloud: used after [0-9.]+ ms, /s,
  });
  const costs = JSON.parse(run("analyze", "blame", "--json").stdout).boots[0].costs;
  t.ok(costs.length > 5 && costs[0].ms >= costs.at(-1).ms);
  t.end();
});
