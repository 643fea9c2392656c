import { spawnSync } from "node:child_process";
import t from "tap";
import { unitOfPath } from "./unit-of-path.ts";

const cases: readonly (readonly [path: string, unit: string])[] = [
  ["/", "-.mount"],
  ["/home", "home.mount"],
  ["//srv//media/", "srv-media.mount"],
  ["/srv/with space", "srv-with\\x20space.mount"],
  ["/srv/a-b", "srv-a\\x2db.mount"],
  ["/.snapshots/.x", "\\x2esnapshots-.x.mount"],
  ["/mnt/größe", "mnt-gr\\xc3\\xb6\\xc3\\x9fe.mount"],
  ["/mnt/50%\\", "mnt-50\\x25\\x5c.mount"],
];

t.test("a path has the unit that systemd gives it", async (t) => {
  for (const [path, unit] of cases) t.equal(unitOfPath(path, "mount"), unit);
  t.equal(unitOfPath("/dev/disk/by-id/a_1", "swap"), "dev-disk-by\\x2did-a_1.swap");
});

const program = spawnSync("systemd-escape", ["--version"]).status === 0;
t.test("and so says systemd-escape", { skip: program ? false : "SKIPPED: not here" }, async (t) => {
  for (const [path, unit] of cases) {
    const { stdout } = spawnSync("systemd-escape", ["--path", "--suffix=mount", path], {
      encoding: "utf8",
    });
    t.equal(stdout.trim(), unit, path);
  }
});
