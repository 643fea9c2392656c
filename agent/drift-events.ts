import type { NewEvent } from "#protocol/events.ts";
import type { DriftItem, DriftReport, RepairReport } from "#provisioner/system/drift/report.ts";

const order: readonly DriftItem["level"][] = ["error", "warning", "note"];

/** What was found and mended, as the fleet is told of it: the worst first. */
export function driftFound(
  { deep, declared, items, unseen, store }: DriftReport,
  { repaired, unrepaired }: Pick<RepairReport, "repaired" | "unrepaired">,
): NewEvent {
  const count = (level: DriftItem["level"]) => items.filter((item) => item.level === level).length;
  const sorted = [...items].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return {
    kind: "drift.found",
    body: {
      deep,
      ...(declared === null ? {} : { toplevel: declared.toplevel }),
      ...(declared?.generation == null ? {} : { generation: declared.generation }),
      counts: { errors: count("error"), warnings: count("warning"), notes: count("note") },
      items: sorted.map(({ since, by, ...item }) => ({
        ...item,
        ...(since === null ? {} : { since }),
        ...(by === null ? {} : { by }),
      })),
      repaired: repaired.map((mended) => ({ ...mended })),
      unrepaired: [...unrepaired],
      unseen: [...unseen],
      ...(store === null ? {} : { store: storeOf(store) }),
    },
  };
}

function storeOf({
  paths,
  ofPaths,
  bytes,
  ofBytes,
  lastFullAt,
}: NonNullable<DriftReport["store"]>) {
  return { paths, ofPaths, bytes, ofBytes, ...(lastFullAt === null ? {} : { lastFullAt }) };
}
