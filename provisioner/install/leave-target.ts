import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import { readMounts } from "#provisioner/render/mount-table.ts";
import { arrayPath, devicePath, mapperName, partitionPath } from "./devices.ts";
import type { Layout } from "./layout.ts";
import { journalPlace, target } from "./steps.ts";

const timeoutMs = 120_000;

/**
 * Unmounts and closes what an installation of this layout has open, innermost first: at its end, and
 * before a start that goes on. Of others nothing is touched. Throws `install/target-busy`,
 * `install/step-failed`.
 */
export async function leaveTarget(io: Io, layout: Layout): Promise<void> {
  const { files } = io;
  const run = async (file: string, ...args: readonly string[]) => {
    const result = await io.exec({ file, args, timeoutMs, effect: `install leave ${args.at(-1)}` });
    if (result.code !== 0)
      throw new Fault(
        "install/step-failed",
        `${file} ${args.join(" ")}: exit ${result.code ?? result.signal}: ${result.stderr.trim()}`,
      );
  };
  const below = readMounts(files).filter(
    ({ path }) => path === target || path.startsWith(`${target}/`),
  );
  const own = ownDevices(files, layout);
  if (below.length > 0) {
    const isOwn = below.some(({ device }) => own.has(files.realPath(device) ?? device));
    const [first] = below;
    if (!isOwn)
      throw new Fault("install/target-busy", `${first?.path}: ${first?.device} is mounted there`);
    // From the last one on: what was mounted over it is gone by then.
    for (const { path } of below.toReversed()) {
      if (readMounts(files).some((each) => each.path === path))
        await run("umount", "--recursive", path);
    }
  }
  if (readMounts(files).some(({ path }) => path === journalPlace))
    await run("umount", journalPlace);
  for (const { name } of layout.encrypted.toReversed()) {
    if (files.stat(`/dev/mapper/${mapperName(name)}`) !== undefined)
      await run("cryptsetup", "close", mapperName(name));
  }
  for (const { name, members } of layout.arrays) {
    if (files.stat(arrayPath(name)) !== undefined) await run("mdadm", "--stop", arrayPath(name));
    // After a restart udev has put it together under another name.
    for (const holder of holdersOf(files, members)) await run("mdadm", "--stop", `/dev/${holder}`);
  }
}

/** Arrays that hold these partitions now. */
function holdersOf(files: Files, members: readonly string[]): readonly string[] {
  const holders = members.flatMap((uuid) => {
    const device = files.realPath(partitionPath(uuid));
    const name = device?.slice(device.lastIndexOf("/") + 1);
    return name === undefined ? [] : files.list(`/sys/class/block/${name}/holders`);
  });
  return [...new Set(holders)].filter((name) => /^md\d/.test(name));
}

function ownDevices(files: Files, layout: Layout): ReadonlySet<string> {
  const paths = layout.fileSystems.map(({ on }) => devicePath(on));
  return new Set(paths.flatMap((path) => [path, files.realPath(path) ?? path]));
}
