import type { Finding } from "#core/finding.ts";
import type { SpecDraft } from "../draft.ts";
import type { UserDataPart } from "../parts/part.ts";
import { softenVendorFinding, vendorModule } from "../vendor-data.ts";

/** Adds modules of NixOS to the spec, each under the name of its file. */
export function addModules(parts: readonly UserDataPart[], draft: SpecDraft): void {
  for (const { format, document, filename, text, firstLine } of parts) {
    if (format !== "nix" || text === undefined) continue;
    draft.spec.modules ??= [];
    const path = ["modules", draft.spec.modules.length];
    draft.place(path, { document, line: firstLine, column: 1 });
    draft.spec.modules.push({ name: moduleName(filename), text });
  }
}

/**
 * Takes out the modules that vendor-data has under `firstlight`, also those of which it says only a part:
 * code is the owner's alone to give, whatever the settings allow.
 */
export function leaveOutVendorModules(
  draft: SpecDraft,
  vendorDocuments: readonly string[],
): readonly Finding[] {
  const { modules = [] } = draft.spec;
  const blamed = modules.map((_, index) =>
    [[], ["text"], ["name"]]
      .map((rest) => draft.originOf(["modules", index, ...rest], "value"))
      .find((origin) => origin !== undefined && vendorDocuments.includes(origin.document)),
  );
  const findings = blamed.flatMap((origin, index) => {
    if (origin === undefined) return [];
    const { document, line, column } = origin;
    const place = { document, path: `modules.${index}`, line, column };
    return [softenVendorFinding({ ...place, ...vendorModule })];
  });
  if (findings.length === 0) return [];
  let next = 0;
  const moves = blamed.map((origin) => (origin === undefined ? next++ : undefined));
  draft.spec.modules = modules.filter((_, index) => blamed[index] === undefined);
  draft.follow(new Map([["modules", moves]]));
  if (next === 0) delete draft.spec.modules;
  return findings;
}

/**
 * Whether the spec may have modules, by the settings of the image: where not, they are left out with an error.
 * Away from the node nobody knows, which a note says.
 */
export function gateModules(draft: SpecDraft, isAllowed: boolean | undefined): readonly Finding[] {
  const { modules = [] } = draft.spec;
  if (modules.length === 0 || isAllowed === true) return [];
  if (isAllowed === false) delete draft.spec.modules;
  const findings = modules.map((_, index): Finding => {
    const origin = draft.originOf(["modules", index], "value");
    const { document = "user-data", line = null, column = null } = origin ?? {};
    const place = { document, path: `modules.${index}`, line, column };
    return { ...place, ...(isAllowed === false ? refused : unknown) };
  });
  return findings;
}

const setting = "`userData: { nixModules: true }` in /etc/firstlight/settings.json";

const refused: Pick<Finding, "level" | "code" | "message" | "hint"> = {
  level: "error",
  code: "user-data/nix-module",
  message:
    "this image takes no modules of NixOS from user-data: they are code, which can set any option",
  hint: `put it into the image's own configuration, or say ${setting}`,
};

const unknown: Pick<Finding, "level" | "code" | "message" | "hint"> = {
  level: "note",
  code: "user-data/nix-module",
  message: "an image takes modules of NixOS from user-data only where its owner says so",
  hint: `it needs ${setting}`,
};

/** A name for the file of a module. */
function moduleName(filename: string | null): string {
  const base = (filename ?? "").replace(/\.nix$/, "");
  const clean = base.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return clean.slice(0, 64) || "module";
}
