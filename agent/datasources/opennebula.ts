import { driveDatasource } from "./drive-datasource.ts";
import { hasLabel } from "./seed-disks.ts";

const document = "context.sh";

/**
 * OpenNebula: a disk labelled `CONTEXT` or `CDROM` with `context.sh`, or a seed directory with it, as
 * cloud-init has it (https://docs.cloud-init.io/en/latest/reference/datasources/opennebula.html). Other
 * than there the file is read, and never run; and many discs are labelled `CDROM`, so that one without
 * the file is none of it.
 */
export const openNebula = driveDatasource({
  name: "OpenNebula",
  directories: ["/var/lib/cloud/seed/opennebula"],
  document,
  fits: (volume) =>
    hasLabel(volume, ["CONTEXT"]) ||
    (hasLabel(volume, ["CDROM"]) && volume.list().some(({ name }) => name === document)),
  load: async () => (await import("./opennebula-content.ts")).readOpenNebula,
});
