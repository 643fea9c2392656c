import type { Json } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { listIn, objectIn } from "./clouds/json-values.ts";
import { readKernelArguments } from "./kernel-command-line.ts";

const directory = "/etc/cloud/cloud.cfg.d";
const detectorFile = "/etc/cloud/ds-identify.cfg";
const maxBytes = 1024 * 1024;
const mostFiles = 200;

/** What an owner says with cloud-init's own means: which datasources this machine may be on. */
export interface Choice {
  /** In order, as they are written; without `None`. */
  readonly names: readonly string[];
  /** Where it is said: `kernel command line: ds=ec2`. */
  readonly by: string;
  /** Whether the kernel's command line says it, which counts before all files. */
  readonly isOfKernel: boolean;
}

/**
 * The datasource that `ds=`, `ci.ds=` or `ci.datasource=` of the kernel's command line names, the last of
 * them; else that of `ds-identify.cfg`; else the `datasource_list` of cloud-init's settings, the last of them
 * (`ds-identify`, https://docs.cloud-init.io/en/latest/howto/identify_datasource.html).
 */
export function readChoice(files: Files): Choice | undefined {
  const word = readKernelArguments(files).findLast((each) => forcing.test(each));
  const [, key = "", forced = ""] = forcing.exec(word ?? "") ?? [];
  if (word !== undefined)
    return choiceOf([forced], `kernel command line: ${key}=${shown(forced)}`, true);
  const { datasource = "" } = readDetectorFile(files);
  if (datasource !== "" && modeOf(files) === "search")
    return choiceOf([datasource], `${detectorFile}: datasource: ${shown(datasource)}`);
  const listed = settingsDocuments(files).flatMap(([where, text]) => {
    const names = text.includes("datasource_list") ? listOf(text, where) : [];
    return names.length === 0 ? [] : [choiceOf(names, `${where}: datasource_list`)];
  });
  return listed.at(-1);
}

/** Where the policy of cloud-init's detector is that it does nothing, or `undefined`. */
export function readDisabledPolicy(files: Files): string | undefined {
  if (modeOf(files) !== "disabled") return undefined;
  const isOfKernel = policyOfKernel(files) !== undefined;
  return isOfKernel ? "kernel command line: ci.di.policy" : `${detectorFile}: policy`;
}

/** Text of cloud-init's settings with the place of each, later ones before earlier ones. */
export function settingsDocuments(
  files: Files,
): readonly (readonly [where: string, text: string])[] {
  const names = files.list(directory).filter((name) => name.endsWith(".cfg"));
  const paths = names.slice(0, mostFiles).map((name) => `${directory}/${name}`);
  const written = ["/etc/cloud/cloud.cfg", ...paths].map(
    (path) => [path, files.readText(path, { maxBytes }) ?? ""] as const,
  );
  const line = readKernelArguments(files).join(" ");
  const given = [...line.matchAll(/(?:^| )cc:(.*?)(?: end_cc|$)/g)].map(
    ([, text = ""]) => ["kernel command line: cc", unescaped(text)] as const,
  );
  return [...written, ...given];
}

/** What follows a semicolon is the datasource's own. */
const forcing = /^(ds|ci\.ds|ci\.datasource)=([^;]+)/;

function choiceOf(names: readonly string[], by: string, isOfKernel = false): Choice {
  return { names: names.filter((name) => name.toLowerCase() !== "none"), by, isOfKernel };
}

/** A name may be anything; what is none may be a secret in the wrong place. */
function shown(name: string): string {
  return /^[\w-]{1,32}$/.test(name) ? name : "…";
}

function listOf(text: string, where: string): readonly string[] {
  const { value } = readYaml(text, { document: where });
  return listIn(objectIn(value)["datasource_list"]).filter(
    (each: Json) => typeof each === "string",
  );
}

/** `search` unless a policy says otherwise. */
function modeOf(files: Files): string {
  const policy = policyOfKernel(files) ?? readDetectorFile(files)["policy"] ?? "";
  const modes = policy.split(",").filter((each) => /^(enabled|disabled|search|report)$/.test(each));
  return modes.at(-1) ?? "search";
}

function policyOfKernel(files: Files): string | undefined {
  const word = readKernelArguments(files).findLast((each) => each.startsWith("ci.di.policy="));
  return word?.slice("ci.di.policy=".length);
}

/** Lines of `key: value`, the last of a key. */
function readDetectorFile(files: Files): Readonly<Record<string, string>> {
  const lines = (files.readText(detectorFile, { maxBytes }) ?? "").split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, key = "", value = ""] = /^\s*(\w+)\s*:(.*)$/.exec(line.replace(/#.*/, "")) ?? [];
      return key === "" ? [] : [[key, value.trim().replace(/^(["'])(.*)\1$/, "$2")]];
    }),
  );
}

/** `%20` is a space, and `\n` the end of a line. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll("\\n", "\n");
  } catch {
    return text;
  }
}
