import type { UserDataPart } from "../parts/part.ts";

/** A part that is run, with the name that says when among the others. */
export interface NamedScript {
  readonly part: UserDataPart;
  /** As cloud-init calls its file. */
  readonly name: string;
  /** Words before it, its program first. */
  readonly prefix?: readonly string[];
}

/** Scripts by when they run: each list in its order. */
export interface ScriptOrder {
  /** At every boot, before anything else. */
  readonly hooks: readonly NamedScript[];
  /** Before those of the instance: once per machine, at every boot, once per instance. */
  readonly once: readonly NamedScript[];
  readonly boot: readonly NamedScript[];
  readonly instance: readonly NamedScript[];
  /** Those of the instance that are before `runcmd`, and after it. */
  readonly beforeRuncmd: readonly NamedScript[];
  readonly afterRuncmd: readonly NamedScript[];
  /** Those whose file another one of its name is put over, so that they never run. */
  readonly replaced: readonly NamedScript[];
}

/**
 * The order that cloud-init runs scripts in: it writes each to a directory of its kind and runs what is
 * there by name; `runcmd` is a script of that name beside the ordinary ones. Hooks are run as they come.
 */
export function orderScripts(parts: readonly UserDataPart[]): ScriptOrder {
  const named = parts.map((part) => ({ part, name: scriptName(part) }));
  const of = (format: UserDataPart["format"]) => named.filter(({ part }) => part.format === format);
  const directories = [
    of("script-per-once"),
    of("script-per-boot"),
    of("script-per-instance"),
    of("script"),
  ].map(lastOfEachName);
  const [once = [], boot = [], instance = [], own = []] = directories.map(({ kept }) => kept);
  return {
    ...{ hooks: of("cloud-boothook"), once, boot, instance },
    beforeRuncmd: own.filter(({ name }) => name < "runcmd"),
    afterRuncmd: own.filter(({ name }) => name >= "runcmd"),
    replaced: directories.flatMap(({ replaced }) => replaced),
  };
}

function lastOfEachName(scripts: readonly NamedScript[]) {
  const last = new Map(scripts.map((script) => [script.name, script]));
  const isKept = (script: NamedScript) => last.get(script.name) === script;
  const kept = scripts.filter(isKept).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kept, replaced: scripts.filter((script) => !isKept(script)) };
}

/** cloud-init's name for the file of a part. */
function scriptName({ filename, number }: UserDataPart): string {
  const clean = filename?.replaceAll("/", "_").replace(/[^\w.()-]/g, "") ?? "";
  return clean === "" ? `part-${String(number).padStart(3, "0")}` : clean;
}
