import { Fault } from "#core/fault.ts";
import type { DiskContent } from "./disk-report.ts";
import type { Layout, LayoutPartition, LayoutWishes, PartitionRole } from "./layout.ts";
import { type LayoutGround, makeLayout } from "./make-layout.ts";

/** Names in the table of partitions that an installation has made. */
const roles: Readonly<Record<string, PartitionRole>> = {
  "firstlight-esp": "esp",
  "firstlight-swap": "swap",
  "firstlight-root": "root",
  "firstlight-home": "home",
};

/** What a disk with a home to keep asks of the layout. Throws `install/nothing-to-keep`. */
export function wishesOfKept(content: DiskContent, wishes: LayoutWishes): LayoutWishes {
  const partitions = partitionsOf(content);
  const held = content.partitions[String(partitions.home.number)] ?? [];
  const name = held.includes("crypto_LUKS") ? "encrypted" : "plain";
  const type = wishes.fileSystem === "ext4" ? "ext" : wishes.fileSystem;
  if (name === "plain" && !held.includes(type))
    throw nothing(
      `${partitions.home.name} holds ${held.join(", ") || "nothing"}, and not ${wishes.fileSystem}`,
    );
  const swap =
    partitions.swap === undefined ? (wishes.swap === "none" ? "none" : "zram") : "memory";
  return { ...wishes, name, swap, home: "partition" };
}

/**
 * The layout of a disk whose home is kept: its table, its ESP and its home stay as they are, and all else
 * is made anew on the partitions that are there. Throws `install/nothing-to-keep`.
 */
export function keepHome(wishes: LayoutWishes, ground: LayoutGround, content: DiskContent): Layout {
  const made = makeLayout(wishes, ground);
  const { table } = content;
  const [disk] = made.disks;
  const { esp, root, home, swap } = partitionsOf(content);
  if (disk === undefined || table.id === null) throw nothing("it has no table");
  const partitions = [esp, swap, root, home].filter((each) => each !== undefined);
  // What the layout would have made, on what is there instead.
  const instead = new Map(
    disk.partitions.map(({ role, uuid }) => [
      uuid,
      partitions.find((each) => each.role === role)?.uuid ?? uuid,
    ]),
  );
  const moved = <T extends { readonly on: Layout["fileSystems"][number]["on"] }>(each: T): T =>
    "partition" in each.on
      ? { ...each, on: { partition: instead.get(each.on.partition) ?? each.on.partition } }
      : each;
  const isKept = (role: PartitionRole) => role === "esp" || role === "home";
  return {
    ...made,
    kept: true,
    disks: [{ binding: disk.binding, tableId: table.id, partitions }],
    encrypted: made.encrypted.map((each) =>
      each.name === "crypthome" ? { ...moved(each), kept: true } : moved(each),
    ),
    fileSystems: made.fileSystems.map((each) =>
      isKept(each.role) ? { ...moved(each), kept: true } : moved(each),
    ),
    swap: made.swap === null ? null : moved(made.swap),
  };
}

interface Kept {
  readonly esp: LayoutPartition;
  readonly root: LayoutPartition;
  readonly home: LayoutPartition;
  readonly swap: LayoutPartition | undefined;
}

function partitionsOf({ table }: DiskContent): Kept {
  if (table.kind !== "gpt" || table.damage !== null)
    throw nothing(`its table is ${table.damage ?? table.kind}`);
  const found = new Map<PartitionRole, LayoutPartition>();
  for (const { number, name, uuid, startBytes, sizeBytes } of table.entries) {
    const role = roles[name];
    if (role === undefined || found.has(role))
      throw nothing(
        `its partition ${number} (${name || "without a name"}) is none of firstlight's`,
      );
    found.set(role, { number, role, name, uuid, startBytes, sizeBytes });
  }
  const need = (role: PartitionRole): LayoutPartition => {
    const partition = found.get(role);
    if (partition === undefined) throw nothing(`it has no partition firstlight-${role}`);
    return partition;
  };
  return { esp: need("esp"), root: need("root"), home: need("home"), swap: found.get("swap") };
}

function nothing(why: string): Fault {
  return new Fault("install/nothing-to-keep", `no home can be kept on this disk: ${why}`);
}
