import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Test } from "tap";

/** A unit, and how exposed it may be at most: as `systemd-analyze security` has it, times ten. */
export interface Exposed {
  readonly name: string;
  readonly most: number;
  /** Of its unit file. */
  readonly text: string;
}

/** Tests how exposed a unit is, by systemd's own word. */
export async function checkExposure(t: Test, { name, most, text }: Exposed): Promise<void> {
  const isThere = spawnSync("systemd-analyze", ["--version"]).status === 0;
  const mustBe = process.env["CI"] === "true";
  const skip = isThere || mustBe ? false : "SKIPPED: systemd-analyze is not here";
  await t.test(`${name} is hardly exposed`, { skip }, async (t) => {
    const unit = path.join(t.testdir(), `${name}.service`);
    // The program itself is not on this host; only the unit's settings are judged.
    writeFileSync(unit, text.replace(/^ExecStart=.*$/m, "ExecStart=/bin/true"));
    const args = ["security", "--offline=true", `--threshold=${most}`, "--no-pager", unit];
    const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    t.equal(status, 0, `${stdout.trim().split("\n").at(-1)}${stderr}`);
  });
}

/** The unit file that a line of systemd-run makes. */
export function transientUnitText(argv: readonly string[]): string {
  const properties = argv.flatMap((arg) => /^--property=(.*)$/.exec(arg)?.[1] ?? []);
  return ["[Service]", "ExecStart=/bin/true", ...properties, ""].join("\n");
}
