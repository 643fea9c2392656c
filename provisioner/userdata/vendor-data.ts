import type { Finding } from "#core/finding.ts";
import type { UserDataPart } from "./parts/part.ts";
import { isScript } from "./parts/part-format.ts";
import type { SplitUserData } from "./parts/split.ts";
import { readYaml } from "./yaml.ts";

/** Why nothing of a vendor-data is used. */
export type UnusedBecause = "switched-off" | "own-spec";

/**
 * What to say of vendor-data of which nothing is used: a note, because many clouds always send some; a
 * warning where it holds commands that nobody has switched off. Nothing for an empty document.
 */
export function findingOfVendorData(
  document: string,
  { parts, findings }: Pick<SplitUserData, "parts" | "findings">,
  { why, key }: { readonly why: UnusedBecause; readonly key: string },
): Finding | undefined {
  if (parts.length === 0 && findings.length === 0) return undefined;
  const place = { document, path: "", line: 1, column: 1, code: "user-data/vendor-data" } as const;
  if (why === "switched-off") {
    const message = `vendor-data is not used, as \`${key}\` of the user-data says`;
    return { ...place, level: "note", message, hint: null };
  }
  const hint = "put what you need of it into the user-data";
  for (const part of parts) {
    const commands = findCommands(part);
    if (commands === undefined) continue;
    const message =
      "vendor-data is not used: the commands in it run neither in the boot nor in the system";
    return { ...place, document: part.document, ...commands, level: "warning", message, hint };
  }
  const message = "vendor-data is not used: a #firstlight says all of what the machine is to be";
  return { ...place, level: "note", message, hint };
}

/** What to say of a `#firstlight` in vendor-data. */
export function findingOfVendorSpec({ document, firstLine }: UserDataPart): Finding {
  return {
    ...{ document, path: "", line: firstLine, column: 1, level: "error" },
    code: "user-data/vendor-data",
    message: "a #firstlight in vendor-data is not used",
    hint: "write a #cloud-config, and the spec under its key `firstlight`",
  };
}

/** What to say of a module of NixOS in vendor-data: code is the owner's alone to give. */
export function findingOfVendorModule({ document, firstLine }: UserDataPart): Finding {
  return { document, path: "", line: firstLine, column: 1, ...vendorModule };
}

/** The same, of any place in vendor-data. */
export const vendorModule: Pick<Finding, "level" | "code" | "message" | "hint"> = {
  level: "error",
  code: "user-data/vendor-data",
  message: "a module of NixOS in vendor-data is not used",
  hint: "put it into the user-data, or into the image",
};

/**
 * A finding, one level less where it is about vendor-data: the cloud says that, for any system, and the
 * owner of the node cannot mend it. What is wrong in it is left out and stops nothing; what is lost of it
 * makes no boot degraded.
 */
export function weighFinding(finding: Finding, vendorDocuments: readonly string[]): Finding {
  return vendorDocuments.includes(finding.document) ? softenVendorFinding(finding) : finding;
}

/** See {@link weighFinding}. A format that nobody knows is no loss. */
export function softenVendorFinding(finding: Finding): Finding {
  const isError = finding.level === "error" && finding.code !== "user-data/unknown-format";
  return { ...finding, level: isError ? "warning" : "note" };
}

/** Whether an error stands in vendor-data: what is made of it then is made again without it. */
export function isVendorToBlame(
  findings: readonly Finding[],
  vendorDocuments: readonly string[],
): boolean {
  return findings.some(({ level, document }) => {
    return level === "error" && vendorDocuments.includes(document);
  });
}

/**
 * What to say of vendor-data that is left out for its errors, which are among the findings then: of each
 * of the two that it is not used, and why.
 */
export function findingsOfBlame(
  findings: readonly Finding[],
  vendorDocuments: readonly string[],
): readonly Finding[] {
  const errors = findings.filter((finding) => isVendorToBlame([finding], vendorDocuments));
  const [first] = errors;
  if (first === undefined) return [];
  const message = "vendor-data is not used: what comes of it has errors";
  const hint = "`vendor_data: {enabled: false}` in the user-data says so beforehand";
  const code = "user-data/vendor-data";
  const start = { path: "", line: 1, column: 1 };
  const broken = wholeOf(first.document, vendorDocuments);
  const others = vendorDocuments.filter((each) => {
    return each !== broken && wholeOf(each, vendorDocuments) === each && !each.includes("://");
  });
  return [
    ...errors.map(softenVendorFinding),
    { document: first.document, ...start, level: "warning", code, message, hint },
    ...others.map((document): Finding => {
      const beside = `${document} is not used either: what comes of ${broken} has errors, and both are left out`;
      return { document, ...start, level: "note", code, message: beside, hint };
    }),
    // of what is not used for another reason it is still to be said
    ...findings.filter((said) => said.code === code && !vendorDocuments.includes(said.document)),
  ];
}

/** The document that a part of it is named by: `vendor-data2: part 1` is one of `vendor-data2`. */
function wholeOf(document: string, documents: readonly string[]): string {
  return documents.find((each) => document.startsWith(`${each}: `)) ?? document;
}

/** What to say of vendor-data that is left out because a signed text would not mean the same with it. */
export function findingOfChange(document: string, path: string): Finding {
  return {
    ...{ document, path: "", line: null, column: null, level: "warning" },
    code: "user-data/vendor-data",
    message: `vendor-data is not used: with it \`${path}\` would not be what is signed`,
    hint: "say all of it in the signed text, or switch vendor-data off there: `vendor_data: {enabled: false}`",
  };
}

interface Commands {
  /** The key that holds them; the empty text where all of the document is a program. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

function findCommands(part: UserDataPart): Commands | undefined {
  const { document, format, text, firstLine } = part;
  // both are code, which cloud-init would run
  if (isScript(format) || format === "cloud-boothook") {
    return { path: "", line: firstLine, column: 1 };
  }
  if (format !== "cloud-config" || text === undefined) return undefined;
  const { value, locate } = readYaml(text, { document });
  const [key] =
    Object.entries(value ?? {}).find(([name, list]) => {
      return ["bootcmd", "runcmd"].includes(name) && Array.isArray(list) && list.length > 0;
    }) ?? [];
  if (key === undefined) return undefined;
  const { line, column } = locate([key], "key") ?? { line: 1, column: 1 };
  return { path: key, line: line + firstLine - 1, column };
}
