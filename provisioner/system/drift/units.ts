import type { Files } from "#core/io.ts";
import type { Commands } from "../commands.ts";
import { changedAt } from "./intent.ts";
import type { DriftItem } from "./report.ts";

/**
 * Where units are changed beside the system: `systemctl set-property` writes to system.control,
 * `systemctl edit --runtime` and people to /run/systemd/system. What generators and systemd-run make
 * lies elsewhere. Source: systemd.unit(5), "Unit File Load Path".
 */
const besideTheSystem = [
  "/etc/systemd/system.control",
  "/run/systemd/system.control",
  "/run/systemd/system",
] as const;

/** Unit files and drop-ins that no generation brought. */
export function changedUnits(files: Files): readonly DriftItem[] {
  return besideTheSystem.flatMap((directory) =>
    files.list(directory).flatMap((name) => {
      const isDropIns = name.endsWith(".d");
      const unit = isDropIns ? name.slice(0, -2) : name;
      const below = isDropIns ? files.list(`${directory}/${name}`) : [""];
      return below.map((file) => {
        const place = `${directory}/${name}${file === "" ? "" : `/${file}`}`;
        return unitItem(unit, {
          kind: "unit-changed",
          declared: "as the system's own unit says",
          actual: `${isDropIns ? "changed" : "given"} by ${place}`,
          since: changedAt(files, place),
        });
      });
    }),
  );
}

/** Units that have failed, as systemd says; none where there is no systemd. */
export async function failedUnits(
  commands: Commands,
  nowMs: number,
): Promise<readonly DriftItem[]> {
  const failed = await commands.failedUnits();
  return failed.map(({ unit, agoMs }) =>
    unitItem(unit, {
      kind: "unit-failed",
      declared: "running, or ended well",
      actual: "failed",
      since: agoMs === null ? null : new Date(nowMs - agoMs).toISOString(),
    }),
  );
}

function unitItem(
  subject: string,
  item: Pick<DriftItem, "kind" | "declared" | "actual" | "since">,
): DriftItem {
  return { layer: "running", subject, by: null, level: "warning", remedy: "person", ...item };
}
