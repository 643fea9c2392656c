import { byPlace, type Finding, hasErrors, placeOfFinding } from "#core/finding.ts";
import { checkSpec } from "#provisioner/spec/validate.ts";
import { boundFindings } from "./bound-findings.ts";
import { keyLines } from "./cloud-config/authorized-keys.ts";
import { translateCloudConfig } from "./cloud-config/translate.ts";
import { SpecDraft } from "./draft.ts";
import { fillFromFirstlight, namesOfSecrets } from "./firstlight.ts";
import { InputDocument } from "./input-document.ts";
import { addMetaData } from "./meta-data.ts";
import { fillFromNetworkConfig } from "./network-config.ts";
import { findDoubtfulHashes } from "./password-hash.ts";
import { settleSecrets } from "./settle-secrets.ts";
import type { Coverage, RawDocument, Translation, TranslationContext } from "./translation.ts";
import { decodeUserData, insteadOf, sniff, type UserDataFormat } from "./user-data-format.ts";
import { findingOfVendorData } from "./vendor-data.ts";
import { findIllFormedTexts } from "./well-formed.ts";
import { readYaml } from "./yaml.ts";

/** The raw documents of a datasource. */
export interface Documents {
  readonly userData?: RawDocument | undefined;
  readonly vendorData?: RawDocument | undefined;
  readonly networkConfig?: RawDocument | undefined;
}

/** What became of one document. */
interface Part {
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
}

const nothing: Coverage = { translated: 0, agent: 0, unsupported: 0 };

/**
 * Every document of a datasource -> one spec, with findings for all that is not in it. The spec fits
 * its schema whatever the documents say: what does not fit is named in an error and left out.
 */
export function translate(documents: Documents, given: TranslationContext): Translation {
  const context = { ...given, publicKeys: keyLines(given.publicKeys) };
  const draft = new SpecDraft(context.secrets);
  const { userData, networkConfig, vendorData } = documents;
  const parts = [
    translateUserData(userData, draft, context),
    ...(networkConfig === undefined ? [] : [translateNetwork(networkConfig, draft)]),
    ...(vendorData === undefined ? [] : [passOver(vendorData)]),
  ];
  const { spec, used, findings } = settleSecrets(draft, context.secrets);
  return {
    spec,
    secrets: new Map([...draft.secrets].filter(([name]) => used.has(name))),
    findings: boundFindings([...parts.flatMap((part) => part.findings), ...findings]),
    coverage: addUp(parts.map((part) => part.coverage)),
    origins: draft.origins,
  };
}

/** Without user-data the meta-data still names the machine and its keys, as with an empty cloud-config. */
function translateUserData(
  raw: RawDocument | undefined,
  draft: SpecDraft,
  context: TranslationContext,
): Part {
  const name = raw?.document ?? "user-data";
  const decoded = raw === undefined ? { text: "", findings: [] } : decodeUserData(raw);
  if (decoded.text === undefined) return { findings: decoded.findings, coverage: nothing };
  const sniffed = sniff(decoded.text);
  const format = sniffed === "unknown" ? (raw?.format ?? sniffed) : sniffed;
  switch (format) {
    case "empty":
      return fill(name, "", draft, (document) =>
        translateCloudConfig(document.root, draft, context),
      );
    case "cloud-config":
      return fill(name, decoded.text, draft, (document) =>
        translateCloudConfig(document.root, draft, context),
      );
    case "firstlight": {
      const part = fill(name, decoded.text, draft, (document) =>
        fillFromFirstlight(document.root, draft),
      );
      return { ...part, findings: [...part.findings, ...addMetaData(draft.spec, context, name)] };
    }
    default:
      return { findings: [unknownFormat(name, format)], coverage: nothing };
  }
}

function translateNetwork(raw: RawDocument, draft: SpecDraft): Part {
  const decoded = decodeUserData(raw);
  if (decoded.text === undefined) return { findings: decoded.findings, coverage: nothing };
  if (sniff(decoded.text) === "signed")
    return { findings: [unknownFormat(raw.document, "signed")], coverage: nothing };
  return fill(raw.document, decoded.text, draft, (document) =>
    fillFromNetworkConfig(document.root, draft),
  );
}

/** Reads a document, has its values put into the draft, and takes out what does not fit there. */
function fill(
  name: string,
  text: string,
  draft: SpecDraft,
  put: (document: InputDocument) => void,
): Part {
  const { value, findings, locate, binary, floatText } = readYaml(text, { document: name });
  if (value === undefined) return { findings, coverage: nothing };
  const illFormed = findIllFormedTexts(name, value, locate);
  if (hasErrors(illFormed)) return { findings: [...findings, ...illFormed], coverage: nothing };
  const document = new InputDocument({ name, value, locate, binary, floatText, text });
  draft.reserve(namesOfSecrets(document.root));
  draft.reserve(namesOfSecrets(document.root.get("firstlight")));
  put(document);
  const checked = checkSpec(draft.spec, {
    document: name,
    findOrigin: (path, target) => draft.originOf(path, target),
    secretNames: new Set(draft.secrets.keys()),
  });
  for (const moves of checked.moves) draft.follow(moves);
  const said = [...findings, ...document.findings, ...checked.findings];
  return {
    findings: [...said, ...dropDoubtfulHashes(draft, said)].sort(byPlace),
    coverage: document.coverage(),
  };
}

/** Takes what is no password hash out of the draft; of a place with an error no more is said. */
function dropDoubtfulHashes(draft: SpecDraft, said: readonly Finding[]): readonly Finding[] {
  const errors = said.filter(({ level }) => level === "error").map(placeOfFinding);
  const doubtful = findDoubtfulHashes(draft.spec, {
    secrets: draft.readableSecrets(),
    originOf: (path) => draft.originOf(path, "value"),
  });
  for (const { user } of doubtful) delete user.passwordHash;
  return doubtful
    .map(({ finding }) => finding)
    .filter((finding) => !errors.includes(placeOfFinding(finding)));
}

function passOver(raw: RawDocument): Part {
  const finding = findingOfVendorData(raw);
  if (finding === undefined) return { findings: [], coverage: nothing };
  return { findings: [finding], coverage: { ...nothing, unsupported: 1 } };
}

function unknownFormat(document: string, format: UserDataFormat): Finding {
  return {
    document,
    path: "",
    line: 1,
    column: 1,
    level: "error",
    code: format === "unknown" ? "user-data/unknown-format" : "user-data/unsupported-format",
    ...unreadText(format),
  };
}

function unreadText(format: UserDataFormat): Pick<Finding, "message" | "hint"> {
  switch (format) {
    case "empty":
    case "cloud-config":
    case "firstlight":
    case "unknown":
      return {
        message: "the first line names no format of user-data",
        hint: "begin it with #cloud-config or #firstlight",
      };
    case "jinja":
      return {
        message: "a template is rendered by the node that it is for, over what its datasource says",
        hint: "look at what it is rendered to: `tail -n +2 FILE | firstlight query --format -` on a node",
      };
    case "signed":
      return {
        message: "a signed document is read where it is the whole user-data, and signed once",
        hint: "sign the text itself",
      };
    default:
      return { message: `user-data of the format ${format} is not read`, hint: insteadOf[format] };
  }
}

function addUp(all: readonly Coverage[]): Coverage {
  const sum = (fate: keyof Coverage) => all.reduce((total, part) => total + part[fate], 0);
  return { translated: sum("translated"), agent: sum("agent"), unsupported: sum("unsupported") };
}
