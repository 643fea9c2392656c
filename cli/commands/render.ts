import { makeContent } from "#agent/datasources/content.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { readMetaData } from "#agent/datasources/meta-data.ts";
import { exitCodes } from "#agent/outcome.ts";
import { defaultUserName } from "#agent/resolve-spec.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { type Command, textFlag } from "../command.ts";
import { renderPreview } from "../preview.ts";
import { readInput } from "../read-input.ts";

/** Meta-data as NoCloud reads it, from a file. */
function readInstance({
  document,
  bytes,
}: {
  readonly document: string;
  readonly bytes: Uint8Array;
}): DatasourceContent {
  return makeContent({
    datasource: {
      name: "NoCloud",
      place: document,
      identity: document,
      removable: false,
      evidence: [],
    },
    metaData: readMetaData(bytes, document),
    documents: {},
    defaultInstanceId: "nocloud",
    findings: [],
  });
}

/** `firstlight render` */
export const command: Command = {
  usage:
    "render [--user-data F] [--meta-data F] [--vendor-data F] [--network-config F] [--facts F] --out DIR",
  summary:
    "Write the files of Nix that a node would be built from; whatever is not given is empty.",
  options: {
    "user-data": { type: "string" },
    "meta-data": { type: "string" },
    "vendor-data": { type: "string" },
    "network-config": { type: "string" },
    facts: { type: "string" },
    "state-version": { type: "string" },
    out: { type: "string" },
  },
  arity: [0, 0],
  async run({ flags, json, out, signal }) {
    const target = textFlag(flags, "out");
    if (target === undefined) throw new Fault("cli/usage", "render: expected --out DIR");
    const document = async (flag: string) => {
      const file = textFlag(flags, flag);
      return file === undefined
        ? undefined
        : { document: file, bytes: await readInput(file, { signal }) };
    };
    const metaFile = await document("meta-data");
    const meta = metaFile === undefined ? undefined : readInstance(metaFile);
    const translation = translate(
      {
        userData: await document("user-data"),
        vendorData: await document("vendor-data"),
        networkConfig: await document("network-config"),
      },
      {
        hostname: meta?.instance.hostname ?? null,
        publicKeys: meta?.instance.publicKeys ?? [],
        defaultUser: defaultUserName,
        fetched: new Map(),
      },
    );
    const factsFile = textFlag(flags, "facts");
    const stateVersion = textFlag(flags, "state-version");
    const { sources, findings } = await renderPreview(translation, {
      ...(factsFile === undefined
        ? {}
        : { facts: await (await import("../facts-file.ts")).readFactsFile(factsFile, signal) }),
      ...(meta === undefined ? {} : { instanceId: meta.instance.instanceId }),
      ...(stateVersion === undefined ? {} : { stateVersion }),
    });
    const all = [...(meta?.findings ?? []), ...translation.findings, ...findings];
    const files = hostFiles(target, () => {});
    for (const { path, content, mode } of sources.files) files.write(`/${path}`, content, { mode });
    if (json)
      out.data(
        prettyJson({
          v: 1,
          digest: sources.digest,
          files: sources.files.map((file) => file.path),
          findings: all,
        }),
      );
    else {
      for (const finding of all) out.talk(formatFinding(finding));
      out.data(`${sources.files.length} files in ${target}, digest ${sources.digest}`);
    }
    return hasErrors(all) ? exitCodes.invalidInput : exitCodes.done;
  },
};
