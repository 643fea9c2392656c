import { byPlace, type Finding } from "#core/finding.ts";
import { addUp, noCoverage } from "./coverage.ts";
import type { DocumentPart } from "./document-parts.ts";
import type { InputDocument } from "./input-document.ts";
import { layKinds } from "./merge/lay-kinds.ts";
import { MergeLimits } from "./merge/merge-limits.ts";
import { mergeParts } from "./merge/merge-parts.ts";
import { TextRow } from "./merge/text-row.ts";
import type { UserDataPart } from "./parts/part.ts";
import { type SplitContext, type SplitUserData, splitUserData } from "./parts/split.ts";
import { documentOf } from "./read-document.ts";
import type { Coverage, RawDocument } from "./translation.ts";
import {
  findingOfVendorData,
  findingOfVendorModule,
  findingOfVendorSpec,
  type UnusedBecause,
} from "./vendor-data.ts";
import { readVendorSwitch, type VendorKind, vendorKeys } from "./vendor-switch.ts";
import type { Item } from "./yaml-values.ts";

/** The documents of a datasource that are user-data, the cloud's part of it among them. */
export interface ConfigSources {
  readonly userData?: RawDocument | undefined;
  readonly vendorData?: RawDocument | undefined;
  readonly vendorData2?: RawDocument | undefined;
}

/** What the documents of a datasource are, before any of it has a meaning. */
export interface ConfigDocuments {
  /** All cloud-config as one document, which knows where each value stands; absent where user-data says itself what the machine is to be. */
  readonly config: InputDocument | undefined;
  /** Parts of user-data that are a `#firstlight`, in order. */
  readonly specs: readonly DocumentPart[];
  /** Parts of any other format: of user-data, and of vendor-data that is used. */
  readonly others: {
    readonly user: readonly UserDataPart[];
    readonly vendor: readonly UserDataPart[];
  };
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
  /** Names of documents, as findings name them, in order. */
  readonly names: readonly string[];
  /** Those of them that are vendor-data, and not user-data as well. */
  readonly vendorDocuments: readonly string[];
}

/**
 * Reads user-data and vendor-data, and puts all `#cloud-config` and `#cloud-config-jsonp` of them
 * together as cloud-init does: the parts of one document by what each of them says, then vendor-data,
 * vendor-data2 and user-data, of which the last one counts most. What is signed of them nothing else changes.
 */
export function readConfigs(sources: ConfigSources, context: SplitContext): ConfigDocuments {
  const row = new TextRow();
  const { userData } = sources;
  const user = userData === undefined ? nothingSplit : splitUserData(userData, context);
  const specs = user.parts.filter(isSpec);
  const merged = mergeParts(user.parts.filter(isConfig), { row, limits: new MergeLimits() });
  const isOwnSpec = specs.length > 0 && !user.parts.some(isConfig);
  const name = userData?.document ?? "user-data";
  const userNames = [name, ...user.documents];
  // what nobody signed must not pass for what somebody did
  const takenNames = new Set(context.isSigned === true ? userNames : []);
  const ofVendor = { ...context, isSigned: false, takenNames };
  const vendor = { row, context: ofVendor, isOwnSpec, user: merged.item };
  const vendors = [
    readVendor("vendor-data2", sources.vendorData2, vendor),
    readVendor("vendor-data", sources.vendorData, vendor),
  ];
  const combined = layKinds(
    {
      user: merged.item,
      vendors: vendors.map(({ item }) => item).filter((item) => item !== undefined),
      isSigned: context.isSigned === true,
    },
    { row, limits: new MergeLimits() },
  );
  const vendorNames = vendors.flatMap(({ names }) => names);
  return {
    config: isOwnSpec ? undefined : documentOf(name, combined.item, row),
    specs,
    others: {
      user: user.parts.filter(isOther),
      vendor: vendors.toReversed().flatMap(({ parts }) => parts.filter(isOther)),
    },
    findings: [user, merged, ...vendors, combined].flatMap(({ findings }) => findings),
    coverage: addUp([merged.coverage, ...vendors.map(({ coverage }) => coverage)]),
    names: [...userNames, ...vendorNames],
    vendorDocuments: vendorNames.filter((each) => !userNames.includes(each)),
  };
}

interface VendorRead extends Pick<SplitUserData, "parts" | "findings"> {
  readonly item: Item | undefined;
  readonly coverage: Coverage;
  readonly names: readonly string[];
}

interface VendorOptions {
  readonly row: TextRow;
  /** Whether user-data has a spec and no config. */
  readonly isOwnSpec: boolean;
  readonly user: Item | undefined;
  readonly context: SplitContext;
}

const nothingSplit: SplitUserData = {
  ...{ parts: [], findings: [], includes: [], templates: [], documents: [] },
  isByLaunchIndex: false,
};

function readVendor(
  kind: VendorKind,
  raw: RawDocument | undefined,
  { isOwnSpec, user, row, context }: VendorOptions,
): VendorRead {
  const nothing = { parts: [], findings: [], item: undefined, coverage: noCoverage, names: [] };
  if (raw === undefined) return nothing;
  const split = splitUserData(raw, context);
  const names = [raw.document, ...split.documents];
  const { isOn, leavesOut } = readVendorSwitch(user, kind);
  const why: UnusedBecause | undefined = isOwnSpec ? "own-spec" : isOn ? undefined : "switched-off";
  if (why !== undefined) {
    const finding = findingOfVendorData(raw.document, split, { why, key: vendorKeys[kind] });
    if (finding === undefined) return nothing;
    return { ...nothing, findings: [finding], coverage: { ...noCoverage, unsupported: 1 } };
  }
  const parts = split.parts.filter((part) => !leavesOut(part));
  const merged = mergeParts(parts.filter(isConfig), { row, limits: new MergeLimits() });
  const said = [
    ...parts.filter(isSpec).map(findingOfVendorSpec),
    ...parts.filter(({ format }) => format === "nix").map(findingOfVendorModule),
  ];
  return { ...merged, parts, findings: [...split.findings, ...merged.findings, ...said], names };
}

/** Findings in the order of documents, and of the places in each. */
export function inOrderOf(names: readonly string[]): (a: Finding, b: Finding) => number {
  const ranks = new Map([...new Set(names)].map((name, index) => [name, index]));
  const rank = ({ document }: Finding) => ranks.get(document) ?? ranks.size;
  return (a, b) => rank(a) - rank(b) || byPlace(a, b);
}

function isConfig(part: UserDataPart): part is UserDataPart & DocumentPart {
  return ["cloud-config", "cloud-config-jsonp"].includes(part.format) && part.text !== undefined;
}

function isSpec(part: UserDataPart): part is UserDataPart & DocumentPart {
  return part.format === "firstlight" && part.text !== undefined;
}

function isOther(part: UserDataPart): boolean {
  return !isConfig(part) && !isSpec(part);
}
