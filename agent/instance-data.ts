import { isIPv4 } from "node:net";
import { machine } from "node:os";
import type { Json } from "#core/canonical-json.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import { splitName } from "#provisioner/userdata/machine-name.ts";
import { cloudIdOf, cloudNameOf, platformOf } from "./cloud-id.ts";
import { writeCloudInitInstance } from "./cloud-init-files.ts";
import type { Instance } from "./datasources/datasource.ts";
import { subplatformOf } from "./subplatform.ts";

/** Readable by everybody; no secret is in it. */
const instanceDataFile = "/run/firstlight/instance-data.json";

/** Leaves what the datasource said for `query`, and for programs that ask cloud-init. */
export function writeInstanceData(io: Io, instance: Instance): void {
  const data = instanceData(io, instance);
  io.files.write(instanceDataFile, prettyJson(data), { mode: 0o644 });
  writeCloudInitInstance(io, instance, data);
}

/**
 * What the datasource said, without a secret. The keys of `v1` are those of cloud-init, the older ones
 * with a hyphen among them (https://docs.cloud-init.io/en/latest/explanation/instance-data.html).
 */
export function instanceData({ files }: Pick<Io, "files">, instance: Instance) {
  const { datasource, metaData } = instance;
  const said = (key: string) => textIn(metaData, key);
  const placement = isObject(metaData) ? metaData["placement"] : undefined;
  const zone =
    said("availability-zone") ??
    said("availability_zone") ??
    textIn(placement, "availability-zone");
  const region = said("region");
  const cloudName = cloudNameOf(datasource.name, said("cloud-name"), files);
  const platform = platformOf(datasource.name);
  const hostname = shortName(instance.hostname);
  const { distro, distroVersion, distroRelease } = readDistro(files);
  const kernel = {
    release: readLine(files, "/proc/sys/kernel/osrelease"),
    architecture: readLine(files, "/proc/sys/kernel/arch") ?? machine(),
  };
  return {
    v1: {
      _beta_keys: ["subplatform"],
      "availability-zone": zone,
      availability_zone: zone,
      cloud_id: cloudIdOf(cloudName, region, platform),
      "cloud-name": cloudName,
      cloud_name: cloudName,
      distro,
      distro_release: distroRelease,
      distro_version: distroVersion,
      "instance-id": instance.instanceId,
      instance_id: instance.instanceId,
      kernel_release: kernel.release,
      "local-hostname": hostname,
      local_hostname: hostname,
      machine: kernel.architecture,
      platform,
      public_ssh_keys: instance.publicKeys,
      python_version: null, // there is no Python at work
      region,
      subplatform: subplatformOf(datasource),
      system_platform: ["Linux", kernel.release ?? [], kernel.architecture].flat().join("-"),
      variant: distro,
    },
    ds: { meta_data: instance.metaData },
    datasource: instance.datasource,
  };
}

function textIn(value: Json | undefined, key: string): string | null {
  const text = isObject(value) ? value[key] : undefined;
  return typeof text === "string" && text !== "" ? text : null;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readLine(files: Files, path: string): string | null {
  return files.readText(path, { maxBytes: 4 * 1024 })?.trim() || null;
}

function readDistro(files: Files) {
  const text = files.readText("/etc/os-release", { maxBytes: 64 * 1024 }) ?? "";
  const value = (name: string) =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] || null;
  return {
    distro: value("ID"),
    distroVersion: value("VERSION_ID"),
    distroRelease: value("VERSION_CODENAME"),
  };
}

/** Without its domain; an address as cloud-init makes a name of it. */
function shortName(name: string | null): string | null {
  if (name === null) return null;
  return isIPv4(name) ? `ip-${name.replaceAll(".", "-")}` : splitName(name).hostname;
}

/** What the last boot left, or `undefined`. */
export function readInstanceData(files: Files): Json | undefined {
  const text = files.readText(instanceDataFile);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // torn by a crash: as if it were absent
  }
}
