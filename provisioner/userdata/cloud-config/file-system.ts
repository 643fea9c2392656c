import type { Mount } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { partitionOf, readDevice } from "./device-name.ts";

/** An entry of `fs_setup`: the mount of the same device makes it where there is nothing. */
export function addFileSystem(
  item: Input,
  draft: SpecDraft,
  aliases: ReadonlyMap<string, string>,
): void {
  if (!item.isMapping()) return item.expected("a mapping with `device` and `filesystem`");
  const type = item.get("filesystem")?.text();
  const label = item.get("label")?.text();
  const device = readPlace(item, aliases);
  const isMade = checkWays(item);
  warnOfOverwriting(item);
  if (type === undefined || device === undefined) {
    if (item.get("filesystem") === undefined) nameMissing(item, "filesystem");
    return;
  }
  if (!isMade) return;
  const mount = findMount(draft, device, label);
  if (mount === undefined) return nameUnmounted(item, type);
  if (mount.type !== undefined && mount.type !== type) return nameOther(item, mount.type);
  Object.assign(mount, { device, type, format: true });
  item.get("label")?.unsupported(
    {
      code: "cloud-config/unsupported-key",
      message: "where the file system is made it has no label",
      hint: "the mount goes to the device; set a label by hand, as with `e2label`",
    },
    "note",
  );
}

/** The device that is meant, with its partition. */
function readPlace(item: Input, aliases: ReadonlyMap<string, string>): string | undefined {
  const input = item.get("device");
  const partition = item.get("partition");
  const number = partition === undefined ? "none" : readPartition(partition);
  const name = input?.text();
  if (input === undefined) nameMissing(item, "device");
  if (input === undefined || name === undefined || number === undefined) return undefined;
  const named = readDevice(name, "auto", aliases);
  if (named.kind === "known") {
    return number === "none" ? named.device : partitionOf(named.device, number);
  }
  input.unsupported({
    code: "cloud-config/unknown-device",
    message: "which device this is is not known here; no file system is made",
    hint: "write its path, or say it under `device_aliases`",
  });
  return undefined;
}

/** Its number, or `none` for the device itself. */
function readPartition(input: Input): string | undefined {
  const text = typeof input.value === "number" ? String(input.value) : input.text();
  if (text === "none" || (text !== undefined && /^[1-9][0-9]{0,2}$/.test(text))) {
    input.mark("translated");
    return text;
  }
  if (text === "auto" || text === "any") {
    input.unsupported({
      code: "cloud-config/unsupported-key",
      message: "which partition is meant would have to be found out; no file system is made",
      hint: "write its number, or `none` for the device itself",
    });
    return undefined;
  }
  if (text !== undefined)
    input.expected("a number, `auto`, `any` or `none`", undefined, "something else");
  return undefined;
}

/** Whether the file system is one that NixOS makes by itself. */
function checkWays(item: Input): boolean {
  const ways = ["cmd", "extra_opts"].flatMap((key) => item.get(key) ?? []);
  for (const input of ways) {
    if (input.oneOrMoreTexts().length === 0) continue; // said there
    input.unsupported({
      code: "cloud-config/unsupported-key",
      message: "a file system is made with the defaults of its type, so that this one is not made",
      hint: "make it from `bootcmd`, once `blkid` finds nothing on the device",
    });
  }
  return ways.length === 0;
}

function warnOfOverwriting(item: Input): void {
  const overwrite = item.get("overwrite");
  const replaced = item.get("replace_fs");
  const isWished = overwrite?.boolean() === true;
  const isReplaced = replaced?.text() !== undefined;
  for (const input of [isWished ? overwrite : undefined, isReplaced ? replaced : undefined]) {
    input?.unsupported({
      code: "cloud-config/unsupported-key",
      message: "what is on a device stays: a file system is made only where there is none",
      hint: "empty the device by hand, with `wipefs`, where that is meant",
    });
  }
}

function findMount(
  { spec }: SpecDraft,
  device: string,
  label: string | undefined,
): Mount | undefined {
  const byLabel = label === undefined ? undefined : readDevice(`LABEL=${label}`, "auto", new Map());
  return spec.mounts?.find((mount) => {
    return (
      mount.device === device || (byLabel?.kind === "known" && mount.device === byLabel.device)
    );
  });
}

function nameMissing(item: Input, key: string): void {
  item.expected(`a mapping with \`${key}\``, undefined, "one without");
}

function nameUnmounted(item: Input, type: string): void {
  item.unsupported({
    code: "cloud-config/unsupported-key",
    message: "no entry of `mounts` has this device, so that no file system is made on it",
    hint:
      type === "swap"
        ? "make it with `mkswap` from `bootcmd`, or give a file under `swap`"
        : "add it to `mounts`, or make it when the machine is installed",
  });
}

function nameOther(item: Input, type: string): void {
  const message = `\`mounts\` says ${type} of this device; no file system is made`;
  const hint = "write the same type in both";
  item.unsupported({ code: "cloud-config/overridden", message, hint });
}
