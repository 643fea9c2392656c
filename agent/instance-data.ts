import type { Json } from "#core/canonical-json.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import type { Instance } from "./datasources/datasource.ts";

/** Readable by everybody; no secret is in it. */
const instanceDataFile = "/run/firstlight/instance-data.json";

/** Leaves what the datasource said for `query`; the keys of `v1` are those of cloud-init. */
export function writeInstanceData(io: Io, instance: Instance): void {
  const cloud = instance.datasource.name.toLowerCase();
  const data = {
    v1: {
      cloud_id: cloud,
      cloud_name: cloud,
      instance_id: instance.instanceId,
      local_hostname: instance.hostname,
      platform: cloud,
      public_ssh_keys: instance.publicKeys,
      subplatform: instance.datasource.place,
    },
    ds: { meta_data: instance.metaData },
    datasource: instance.datasource,
  };
  io.files.write(instanceDataFile, prettyJson(data), { mode: 0o644 });
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
