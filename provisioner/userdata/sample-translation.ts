import { isDeepStrictEqual } from "node:util";
import type { Spec, User } from "#generated/provisioner/spec/v1.ts";
import { type Documents, translate } from "./translate.ts";
import type { Translation, TranslationContext } from "./translation.ts";

/** A context as tests want it: nothing in the meta-data, the default user `nixos`. */
export const sampleContext: TranslationContext = {
  hostname: null,
  publicKeys: [],
  defaultUser: "nixos",
  fetched: new Map(),
};

/** Translates user-data that is given as text. */
export function translateText(
  text: string,
  context: Partial<TranslationContext> = {},
  documents: Omit<Documents, "userData"> = {},
): Translation {
  const userData = { document: "user-data", bytes: Buffer.from(text) };
  return translate({ userData, ...documents }, { ...sampleContext, ...context });
}

/** Translates what stands under the first line of a cloud-config. */
export function translateCloud(
  body: string,
  context: Partial<TranslationContext> = {},
): Translation {
  return translateText(`#cloud-config\n${body}`, context);
}

/** What the default user is when nothing is said of it. */
export const plainDefaultUser: User = {
  groups: ["wheel"],
  sudo: ["ALL=(ALL) NOPASSWD:ALL"],
  locked: true,
};

/** The spec without its version, and without a default user of whom nothing is said. */
export function partOf({ spec }: Translation): Partial<Spec> {
  const { version: _, users = {}, ...rest } = spec;
  const said = Object.entries(users).filter(([name, user]) => {
    return name !== sampleContext.defaultUser || !isDeepStrictEqual(user, plainDefaultUser);
  });
  return said.length === 0 ? rest : { ...rest, users: Object.fromEntries(said) };
}

/** Findings as lines: `warning cloud-config/unknown-key 3:1 hostnam`. */
export function linesOf({ findings }: Pick<Translation, "findings">): readonly string[] {
  return findings.map(({ level, code, line, column, path }) => {
    return `${level} ${code} ${line}:${column} ${path}`;
  });
}

/** The text of a secret. */
export function secretText({ secrets }: Translation, name: string): string | undefined {
  const bytes = secrets.get(name)?.reveal();
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}
