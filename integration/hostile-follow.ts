import { previewCredentials } from "#agent/secrets/credential-store.ts";
import { findAssets } from "#cli/assets.ts";
import type { Json } from "#core/canonical-json.ts";
import { type Finding, hasErrors } from "#core/finding.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { type RenderResult, render } from "#provisioner/render/render.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { type Field, type Quote, writeDocument } from "./hostile-fields.ts";
import { nixEvalJson } from "./nix-eval.ts";
import { standIn } from "./nix-machine.ts";

/** What became of one document. */
export interface Fate {
  /** Fields that were refused, or named in a finding. */
  readonly named: ReadonlySet<Field>;
  readonly translation: Translation;
  /** `undefined` where the document was refused whole. */
  readonly rendered: RenderResult | undefined;
}

/** The text of each field. */
export type TextOf = (field: Field) => string;

/** Follows a document to its rendering. */
export type Follow = (fields: readonly Field[], textOf: TextOf, quote: Quote) => Fate;

/**
 * Translates and renders; a field that an error names is taken out, and the rest goes on. Throws
 * what translating or rendering throws: hostile text must not make them.
 */
export async function follower(): Promise<Follow> {
  const renderSpec = await renderer();
  return (fields, textOf, quote) => {
    const refused = new Set<Field>();
    for (;;) {
      const kept = (field: Field) => (refused.has(field) ? undefined : textOf(field));
      const { text, fieldOf } = writeDocument(fields, kept, quote);
      const translation = translate(
        { userData: { document: "user-data", bytes: Buffer.from(text) } },
        { hostname: "edge", publicKeys: [], defaultUser: "nixos", fetched: new Map() },
      );
      const rendered = hasErrors(translation.findings) ? undefined : renderSpec(translation);
      const findings = [...translation.findings, ...(rendered?.findings ?? [])];
      const culprit = ({ line, path }: Finding) =>
        fields.find(({ at }) => path === at.join(".")) ?? fieldOf.get(line ?? 0);
      const blamed = (some: readonly Finding[]) =>
        some.flatMap((finding) => culprit(finding) ?? []);
      const named = new Set([...refused, ...blamed(findings)]);
      const errors = findings.filter(({ level }) => level === "error");
      if (errors.length === 0) return { named, translation, rendered };
      const fresh = blamed(errors).filter((field) => !refused.has(field));
      // No field is to blame: the document cannot be read at all.
      if (fresh.length === 0) return { named, translation, rendered: undefined };
      for (const field of fresh) refused.add(field);
    }
  };
}

/** Renders as a node without a configuration of its own does. */
async function renderer(): Promise<(translation: Translation) => RenderResult> {
  const assets = findAssets();
  const profiles = await assets.profiles();
  const templates = await assets.templates();
  const facts = genericFacts("x86_64");
  const checkParameters = await assets.parameterCheck(["docker-host"]);
  const match = matchProfile(facts, profiles);
  return ({ spec, secrets, origins }) =>
    render({
      ...{ spec, origins, facts, match, profiles, templates, checkParameters },
      credentials: previewCredentials(secrets),
      instanceId: "i-1",
      base: {
        ...{ kind: "platform", files: [], platform: null, pins: {}, settings: {}, local: null },
        ...{ stateVersion: "25.11", mutableUsers: true, agentModule: assets.agentModule() },
      },
    });
}

/**
 * Every text that Nix finds in the modules of each document, also in the names of attributes. What
 * is a function of something else stays as it was called.
 */
export function evaluateModules(fates: readonly Fate[]): readonly (readonly string[])[] {
  const files: Record<string, string> = {
    "packages.json": JSON.stringify(wishedPackages(fates)),
  };
  const modules = fates.map(({ rendered }, index) => {
    const own = (rendered?.sources.files ?? []).filter(({ path }) =>
      /^configuration\.nix$|^firstlight\/(instance|network)\.nix$/.test(path),
    );
    const places = own.map(({ path, content }) => {
      files[`${index}/${path}`] = content;
      return `(builtins.scopedImport { import = _: parameters: parameters; } ./${index}/${path} arguments)`;
    });
    return `[ ${places.join(" ")} ]`;
  });
  const values = nixEvalJson(
    `let
      lib = import ${standIn}/lib;
      pkgs = builtins.fromJSON (builtins.readFile ./packages.json)
        // import ${standIn} { system = "x86_64-linux"; }
        // { writeText = name: text: { inherit name text; }; };
      arguments = { inherit lib pkgs; config.systemd.package = pkgs.systemd; };
      # Of what is imported only what templates are called with: the files are modules of their own. What is free
      # to be unfree is a function; its names are none of the document's.
      config = module: builtins.removeAttrs (module.nixpkgs.config or { }) [ "allowUnfreePredicate" ];
      called = module: module
        // { imports = builtins.filter builtins.isAttrs (module.imports or [ ]); }
        // lib.optionalAttrs (module ? nixpkgs) { nixpkgs = module.nixpkgs // { config = config module; }; };
    in map (map called) [ ${modules.join("\n")} ]`,
    { files },
  );
  return (values as readonly Json[]).map(textsOf);
}

/** Texts of the files in /etc whose names begin so, in the order of their numbers, of the whole system. */
export function evaluateSystem({ rendered }: Fate, prefix: string): readonly string[] {
  const files = (rendered?.sources.files ?? []).map(({ path, content }) => [path, content]);
  const texts = nixEvalJson(
    `let
      system = import ${standIn}/nixos { configuration = ./configuration.nix; system = "x86_64-linux"; };
      etc = system.config.environment.etc;
      names = builtins.filter (name: builtins.substring 0 ${prefix.length} name == "${prefix}") (builtins.attrNames etc);
    in builtins.listToAttrs (map (name: { inherit name; value = etc.\${name}.text; }) names)`,
    { files: Object.fromEntries(files) },
  ) as Readonly<Record<string, string>>;
  const numbered = Object.entries(texts).map(([name, text]) => ({
    number: Number(name.slice(prefix.length)),
    text,
  }));
  return numbered.sort((a, b) => a.number - b.number).map(({ text }) => text);
}

/** Whether a text came through: into the system, into a secret, or to what the agent itself does. */
export function stands(
  field: Field,
  text: string,
  { translation: { secrets, spec } }: Fate,
  words: readonly string[],
): boolean {
  const { health, report, update } = spec;
  const agents = textsOf(JSON.parse(JSON.stringify({ health, report, update })) as Json);
  const inSecrets = [...secrets.values()].map((secret) => Buffer.from(secret.reveal()).toString());
  const all = [...words, ...agents, ...inSecrets];
  const comesOut = field.comesOut?.(text) ?? [text];
  return comesOut.every((part) => {
    const quoted = part.replaceAll("'", "'\\''"); // inside of a word of the shell
    return all.some((word) => word.includes(part) || word.includes(quoted));
  });
}

/** The text for every field with the field's number at its beginning or its end, to tell them apart. */
export function tagged(fields: readonly Field[], text: string, atEnd: boolean): TextOf {
  const tags = new Map(fields.map((field, index) => [field, `f${index}f`]));
  return (field) => {
    const tag = tags.get(field) ?? "";
    return atEnd ? `${text}${tag}` : `${tag}${text}`;
  };
}

/** Packages that a text names: what they are does not matter, only that they are asked for so. */
function wishedPackages(fates: readonly Fate[]): object {
  const known: Record<string, unknown> = {};
  for (const wish of fates.flatMap(({ translation }) => translation.spec.packages ?? [])) {
    const path = wish.split(".");
    let here = known;
    for (const part of path.slice(0, -1)) {
      here[part] ??= {};
      here = here[part] as Record<string, unknown>;
    }
    here[path.at(-1) ?? ""] ??= wish;
  }
  return known;
}

function textsOf(value: Json): readonly string[] {
  const found: string[] = [];
  const visit = (part: Json): void => {
    if (typeof part === "string") found.push(part);
    else if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === "object" && part !== null) {
      for (const [name, inner] of Object.entries(part)) {
        found.push(name);
        visit(inner);
      }
    }
  };
  visit(value);
  return found;
}
