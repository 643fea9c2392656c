import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import { validateSpec } from "#provisioner/spec/validate.ts";
import { translateCloudConfig } from "./cloud-config/translate.ts";
import { SpecDraft } from "./draft.ts";
import { fillFromFirstlight } from "./firstlight.ts";
import { InputDocument } from "./input.ts";
import { fillFromNetworkConfig } from "./network-config.ts";
import type { Coverage, RawDocument, Translation, TranslationContext } from "./translation.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { readYaml } from "./yaml.ts";

/** The raw documents of a datasource. */
export interface Documents {
  readonly userData?: RawDocument | undefined;
  readonly vendorData?: RawDocument | undefined;
  readonly networkConfig?: RawDocument | undefined;
}

/** Every document of a datasource -> one validated spec, with findings for all that is not in it. */
export function translate(documents: Documents, context: TranslationContext): Translation {
  const draft = new SpecDraft();
  const parts = [
    documents.userData === undefined
      ? translateNothing(draft, context)
      : translateUserData(documents.userData, draft, context),
    ...(documents.networkConfig === undefined
      ? []
      : [translateNetwork(documents.networkConfig, draft)]),
    ...(documents.vendorData === undefined ? [] : [passOver(documents.vendorData)]),
  ];
  const findings = parts.flatMap((part) => part.findings);
  const name = documents.userData?.document ?? "user-data";
  const specFindings = validateSpec(draft.spec, name, (path) => draft.origins.get(path.join(".")));
  return {
    spec: draft.spec,
    secrets: draft.secrets,
    findings: [...findings, ...specFindings],
    coverage: addUp(parts.map((part) => part.coverage)),
    origins: draft.origins,
  };
}

interface Part {
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
}

const nothing: Coverage = { translated: 0, agent: 0, unsupported: 0 };

/** No user-data: the meta-data still names the machine and its keys, as cloud-init's empty config does. */
function translateNothing(draft: SpecDraft, context: TranslationContext): Part {
  const document = new InputDocument("user-data", {}, () => undefined);
  translateCloudConfig(document.root, draft, context);
  return { findings: document.findings, coverage: nothing };
}

function translateUserData(raw: RawDocument, draft: SpecDraft, context: TranslationContext): Part {
  const decoded = decodeUserData(raw);
  if (decoded.text === undefined) return { findings: decoded.findings, coverage: nothing };
  const sniffed = sniff(decoded.text);
  const format = sniffed === "unknown" ? (raw.format ?? sniffed) : sniffed;
  if (format === "empty") return translateNothing(draft, context);
  if (format !== "cloud-config" && format !== "firstlight") {
    return { findings: [unknownFormat(raw.document, format)], coverage: nothing };
  }
  const { document, findings } = parse(raw.document, decoded.text);
  if (document === undefined) return { findings, coverage: nothing };
  if (format === "cloud-config") translateCloudConfig(document.root, draft, context);
  else translateSpec(document, draft, context);
  return { findings: [...findings, ...document.findings], coverage: document.coverage() };
}

/** A `#firstlight` document says everything itself; only the name of the machine falls back to the meta-data. */
function translateSpec(
  document: InputDocument,
  draft: SpecDraft,
  context: TranslationContext,
): void {
  fillFromFirstlight(document.root, draft);
  if (draft.spec.hostname === undefined && context.hostname !== null) {
    const [label = "", ...domain] = context.hostname.split(".");
    draft.spec.hostname = label;
    if (domain.length > 0) draft.spec.domain ??= domain.join(".");
  }
  if (context.publicKeys.length === 0) return;
  const named = draft.spec.users?.[context.defaultUser];
  if (named !== undefined) {
    named.authorizedKeys = [...new Set([...context.publicKeys, ...(named.authorizedKeys ?? [])])];
    return;
  }
  document.root.add("note", {
    code: "user-data/keys-unused",
    message: `${context.publicKeys.length} ssh keys of the meta-data are not used`,
    hint: `add a user \`${context.defaultUser}\` to get them`,
  });
}

function translateNetwork(raw: RawDocument, draft: SpecDraft): Part {
  const decoded = decodeUserData(raw);
  if (decoded.text === undefined) return { findings: decoded.findings, coverage: nothing };
  const { document, findings } = parse(raw.document, decoded.text);
  if (document === undefined) return { findings, coverage: nothing };
  fillFromNetworkConfig(document.root, draft);
  return { findings: [...findings, ...document.findings], coverage: document.coverage() };
}

function passOver(raw: RawDocument): Part {
  if (raw.bytes.length === 0) return { findings: [], coverage: nothing };
  const finding: Finding = {
    document: raw.document,
    path: "",
    line: 1,
    column: 1,
    level: "warning",
    code: "user-data/vendor-data",
    message: "vendor-data is not used",
    hint: "put what you need of it into the user-data",
  };
  return { findings: [finding], coverage: { ...nothing, unsupported: 1 } };
}

function parse(
  name: string,
  text: string,
): { readonly document: InputDocument | undefined; readonly findings: readonly Finding[] } {
  const { value, findings, locate } = readYaml(text, { document: name });
  if (value === undefined) return { document: undefined, findings };
  return { document: new InputDocument(name, value as Json, locate), findings };
}

function unknownFormat(document: string, format: string): Finding {
  return {
    document,
    path: "",
    line: 1,
    column: 1,
    level: "error",
    code: format === "unknown" ? "user-data/unknown-format" : "user-data/unsupported-format",
    message:
      format === "unknown"
        ? "the first line names no format of user-data"
        : `user-data of the format ${format} is not read`,
    hint: "begin it with #cloud-config or #firstlight",
  };
}

function addUp(all: readonly Coverage[]): Coverage {
  const sum = { ...nothing } as { translated: number; agent: number; unsupported: number };
  for (const { translated, agent, unsupported } of all) {
    sum.translated += translated;
    sum.agent += agent;
    sum.unsupported += unsupported;
  }
  return sum;
}
