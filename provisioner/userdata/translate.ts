import { byPlace, type Finding, placeOfFinding } from "#core/finding.ts";
import { checkSpec } from "#provisioner/spec/validate.ts";
import { boundFindings } from "./bound-findings.ts";
import { keyLines } from "./cloud-config/authorized-keys.ts";
import { writtenPaths } from "./cloud-config/program-paths.ts";
import { translateCloudConfig } from "./cloud-config/translate.ts";
import { leaveOutVendorPackages } from "./cloud-config/vendor-packages.ts";
import { readVendorPrefix } from "./cloud-config/vendor-prefix.ts";
import {
  type ConfigDocuments,
  type ConfigSources,
  inOrderOf,
  readConfigs,
} from "./config-documents.ts";
import { addUp, noCoverage } from "./coverage.ts";
import { SpecDraft } from "./draft.ts";
import { fillFromFirstlight, namesOfSecrets } from "./firstlight.ts";
import type { InputDocument } from "./input-document.ts";
import { addMetaData } from "./meta-data.ts";
import { addModules, gateModules, leaveOutVendorModules } from "./modules/add-modules.ts";
import { fillFromNetworkConfig } from "./network-config.ts";
import { onePerFault } from "./one-fault.ts";
import { partProblems } from "./parts/split-findings.ts";
import { findDoubtfulHashes } from "./password-hash.ts";
import { readDocument } from "./read-document.ts";
import { addScripts } from "./scripts/add-scripts.ts";
import { orderPrograms } from "./scripts/order-programs.ts";
import type { NamedScript } from "./scripts/script-order.ts";
import { settleSecrets } from "./settle-secrets.ts";
import { changedByOthers } from "./signed/changed-by-others.ts";
import type { Coverage, RawDocument, Translation, TranslationContext } from "./translation.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { findingOfChange, weighFinding } from "./vendor-data.ts";
import { leaveOutVendorFirstlight } from "./vendor-firstlight.ts";
import { vendorKeys } from "./vendor-switch.ts";

/** The raw documents of a datasource. */
export interface Documents extends ConfigSources {
  readonly networkConfig?: RawDocument | undefined;
}

/** What became of one document. */
interface Part {
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
}

/**
 * Every document of a datasource -> one spec, with findings for all that is not in it. The spec fits
 * its schema whatever the documents say: what does not fit is named in an error and left out.
 */
export function translate(documents: Documents, context: TranslationContext): Translation {
  const together = translateTogether(documents, context);
  const { vendorDocuments } = together;
  if (context.isSigned !== true || vendorDocuments.length === 0) return together;
  const { userData, networkConfig } = documents;
  const alone = translateTogether({ userData, networkConfig }, context);
  const isSigned = (document: string) => document !== networkConfig?.document;
  const path = changedByOthers(alone, together, isSigned);
  if (path === undefined) return together;
  const [document = "vendor-data"] = vendorDocuments;
  const finding = findingOfChange(document, path);
  return { ...alone, findings: boundFindings([...alone.findings, finding]), vendorDocuments };
}

function translateTogether(documents: Documents, given: TranslationContext): Translation {
  const context = { ...given, publicKeys: keyLines(given.publicKeys) };
  const { networkConfig } = documents;
  const configs = readConfigs(documents, context);
  const isSigned = (document: string) =>
    context.isSigned === true && !configs.vendorDocuments.includes(document);
  const draft = new SpecDraft(context.secrets, isSigned, configs.vendorDocuments);
  const parts = [
    translateConfigs(configs, draft, context),
    ...(networkConfig === undefined ? [] : [translateNetwork(networkConfig, draft)]),
  ];
  const modules = [
    ...leaveOutVendorModules(draft, configs.vendorDocuments),
    ...gateModules(draft, context.nixModules),
  ];
  const { spec, used, findings } = settleSecrets(draft, context.secrets);
  return {
    spec,
    secrets: new Map([...draft.secrets].filter(([name]) => used.has(name))),
    findings: boundFindings([...parts.flatMap((part) => part.findings), ...modules, ...findings]),
    coverage: addUp(parts.map((part) => part.coverage)),
    vendorDocuments: configs.vendorDocuments,
    origins: draft.origins,
  };
}

/**
 * First all cloud-config with the scripts around it, then each `#firstlight` over it. Without either the
 * meta-data still names the machine and its keys, as with an empty cloud-config.
 */
function translateConfigs(
  configs: ConfigDocuments,
  draft: SpecDraft,
  context: TranslationContext,
): Part {
  const { config, others } = configs;
  const parts: Part[] = [configs];
  const written = config === undefined ? new Set<string>() : writtenPaths(config.root);
  const said = config?.root.get(vendorKeys["vendor-data"])?.get("prefix");
  const prefix = readVendorPrefix(said, written)?.words ?? [];
  const programs = orderPrograms({ ...others, prefix });
  const addPrograms = (scripts: readonly NamedScript[]) => {
    const findings = addScripts(scripts, draft, written);
    parts.push({ findings, coverage: { ...noCoverage, translated: scripts.length } });
  };
  const specs = configs.specs.map(readDocument);
  for (const { document } of specs) draft.reserve(namesOfSecrets(document?.root));
  draft.reserve(namesOfSecrets(config?.root.get("firstlight")));
  leaveOutVendorPackages(config?.root.get("packages"), configs.vendorDocuments);
  leaveOutVendorFirstlight(
    config?.root.get("firstlight"),
    configs.vendorDocuments,
    context.vendorFirstlight,
  );
  addPrograms(programs.beforeRuncmd);
  if (config !== undefined) {
    const { findings, coverage } = fill(config, draft, () =>
      translateCloudConfig(config.root, draft, context),
    );
    parts.push({ findings: context.inspect?.(config, findings) ?? findings, coverage });
  }
  addPrograms(programs.afterRuncmd);
  addModules(others.user, draft);
  for (const { document, findings } of specs) {
    parts.push({ findings, coverage: noCoverage });
    if (document !== undefined)
      parts.push(fill(document, draft, () => fillFromFirstlight(document.root, draft)));
  }
  const [first] = configs.specs;
  if (config === undefined && first !== undefined)
    parts.push({
      findings: addMetaData(draft.spec, context, first.document),
      coverage: noCoverage,
    });
  return {
    findings: [...parts.flatMap(({ findings }) => findings), ...programs.findings]
      .map((finding) => weighFinding(finding, configs.vendorDocuments))
      .sort(inOrderOf(configs.names)),
    coverage: addUp(parts.map(({ coverage }) => coverage)),
  };
}

function translateNetwork(raw: RawDocument, draft: SpecDraft): Part {
  const decoded = decodeUserData(raw);
  if (decoded.text === undefined) return { findings: decoded.findings, coverage: noCoverage };
  if (sniff(decoded.text) === "signed")
    return { findings: [signedNetwork(raw.document)], coverage: noCoverage };
  const { document, findings } = readDocument({ document: raw.document, text: decoded.text });
  if (document === undefined) return { findings, coverage: noCoverage };
  const filled = fill(document, draft, () => fillFromNetworkConfig(document.root, draft));
  return { ...filled, findings: [...findings, ...filled.findings].sort(byPlace) };
}

/** Has the values of a document put into the draft, and takes out what does not fit there. */
function fill(document: InputDocument, draft: SpecDraft, put: () => void): Part {
  draft.reserve(namesOfSecrets(document.root));
  draft.reserve(namesOfSecrets(document.root.get("firstlight")));
  put();
  const checked = checkSpec(draft.spec, {
    document: document.name,
    findOrigin: (path, target) => draft.originOf(path, target),
    secretNames: new Set(draft.secrets.keys()),
  });
  for (const moves of checked.moves) draft.follow(moves);
  const said = [...document.findings, ...checked.findings];
  return {
    findings: onePerFault([...said, ...dropDoubtfulHashes(draft, said)]),
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

function signedNetwork(document: string): Finding {
  return {
    ...{ document, path: "", line: 1, column: 1 },
    ...partProblems.signed,
  };
}
