import { makeContent } from "#agent/datasources/content.ts";
import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { readMetaData } from "#agent/datasources/meta-data.ts";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { hasErrors } from "#core/finding.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { type Command, type Flags, type Invocation, textFlag } from "../command.ts";
import { namedSecrets, secretsHelp, secretsOption } from "../named-secrets.ts";
import { renderPreview } from "../preview.ts";
import { readInput } from "../read-input.ts";
import { writeRendering } from "../rendered-directory.ts";
import { translateAway } from "../translate-away.ts";

/** Meta-data as NoCloud reads it, from a file. Throws `cli/bad-input`. */
function readInstance(raw: RawDocument): DatasourceContent {
  try {
    return makeInstance(raw);
  } catch (error) {
    if (!isFault(error, "datasource/malformed")) throw error;
    const findings = error.findings.map((finding) => ({ ...finding, document: raw.document }));
    const message =
      findings.length === 0 ? error.message : `${raw.document}: cannot be read as meta-data`;
    throw new Fault("cli/bad-input", message, { findings });
  }
}

function makeInstance({ document, bytes }: RawDocument): DatasourceContent {
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

/** What the machine is, where a flag says it. Throws `cli/usage` where two do. */
async function givenFacts({
  io,
  flags,
  signal,
}: Pick<Invocation, "io" | "flags" | "signal">): Promise<{ readonly facts?: Facts }> {
  const [file, root] = [textFlag(flags, "facts"), textFlag(flags, "root")];
  if (file !== undefined && root !== undefined)
    throw new Fault("cli/usage", "render: expected --facts or --root, and not both");
  if (file !== undefined)
    return { facts: await (await import("../facts-file.ts")).readFactsFile(file, signal) };
  return root === undefined
    ? {}
    : { facts: (await import("#agent/facts/read-facts.ts")).readFacts(io) };
}

/** A release of NixOS in the form that the settings take. Throws `cli/usage`. */
async function readStateVersion(flags: Flags): Promise<string | undefined> {
  const stateVersion = textFlag(flags, "state-version");
  if (stateVersion === undefined) return undefined;
  const { validate } = await import("#generated/agent/settings.validate.js");
  if (validate({ stateVersion })) return stateVersion;
  throw new Fault(
    "cli/usage",
    `--state-version: expected a release of NixOS, got ${JSON.stringify(stateVersion)}`,
    { hint: "year and month, two digits each: --state-version 25.11" },
  );
}

/** `firstlight render` */
export const command: Command = {
  usage:
    "render [--user-data F] [--meta-data F] [--vendor-data F] [--network-config F] [--facts F | --root DIR]\n  [--secrets NAMES] [--state-version NN.MM] --out DIR",
  summary:
    "Write the files of Nix that a node would be built from; whatever is not given is empty.",
  help:
    "The machine is what --facts or --root says, else a generic one.\nWhat an earlier rendering wrote to DIR and this one does not is removed; files of others are never touched.\nWhere a document has errors the exit code is 4, and the files are written without what is wrong, to be looked at only.\n" +
    secretsHelp,
  options: {
    ...secretsOption,
    "user-data": { type: "string" },
    "meta-data": { type: "string" },
    "vendor-data": { type: "string" },
    "network-config": { type: "string" },
    facts: { type: "string" },
    "state-version": { type: "string" },
    out: { type: "string" },
  },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const target = textFlag(flags, "out");
    if (target === undefined) throw new Fault("cli/usage", "render: expected --out DIR");
    const stateVersion = await readStateVersion(flags);
    const document = async (flag: string) => {
      const file = textFlag(flags, flag);
      return file === undefined
        ? undefined
        : { document: file, bytes: await readInput(file, { signal }) };
    };
    const metaFile = await document("meta-data");
    const meta = metaFile === undefined ? undefined : readInstance(metaFile);
    const translation = translateAway(
      {
        userData: await document("user-data"),
        vendorData: await document("vendor-data"),
        networkConfig: await document("network-config"),
      },
      {
        hostname: meta?.instance.hostname ?? null,
        publicKeys: meta?.instance.publicKeys ?? [],
        instanceId: meta?.instance.instanceId,
        secrets: namedSecrets(flags),
      },
    );
    const { sources, findings } = await renderPreview(translation, {
      ...(await givenFacts({ io, flags, signal })),
      ...(meta === undefined ? {} : { instanceId: meta.instance.instanceId }),
      ...(stateVersion === undefined ? {} : { stateVersion }),
    });
    const all = [...(meta?.findings ?? []), ...translation.findings, ...findings];
    for (const path of writeRendering(target, sources.files))
      out.talk(`${target}: ${path} is of an earlier rendering, and was changed since: it is left`);
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
      out.findings(all);
      if (hasErrors(all))
        out.talk(
          "what has an error is not in the files: they are for looking at, not for building",
        );
      out.data(`${sources.files.length} files in ${target}, digest ${sources.digest}`);
    }
    return hasErrors(all) ? exitCodes.invalidInput : exitCodes.done;
  },
};
