import path from "node:path";
import { readFacts } from "#agent/facts/read-facts.ts";
import { exitCodes } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Finding, formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { type Files, type Io, timestamp } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { explainMatch } from "#provisioner/profiles/match.ts";
import { allProfiles, type ProfileSet } from "#provisioner/profiles/profile.ts";
import { findAssets, profilesOf } from "../assets.ts";
import { type Command, type Invocation, textFlag } from "../command.ts";
import { drawMatch } from "../picture-match.ts";
import { readInput } from "../read-input.ts";

/** Some hundred thousand machines. */
const maxBatchBytes = 256 * 1024 * 1024;

/** Of those that are like what was asked for. */
const maxShownIds = 9;

/** `firstlight profiles` */
export const command: Command = {
  usage:
    "profiles list | show ID | match [--facts FILE] [--batch FILE.jsonl] | report [--facts FILE] | lint [DIR]",
  summary: "Hardware profiles: which there are, which one fits this machine and why.",
  help: "list names them all, and show prints one with all that it takes over. match draws the profile that this machine has, what speaks for it (+) and against it (!), what is not told (?), and the three that came nearest; --json says the same to programs; --batch takes one machine a line. report prints what to send for a machine that no profile knows. lint says what is wrong with the profiles below a directory, beside those that ship.",
  options: { facts: { type: "string" }, batch: { type: "string" } },
  arity: [1, 2],
  async run(invocation) {
    const [verb = "", argument] = invocation.args;
    if (argument !== undefined && ["list", "match", "report"].includes(verb))
      throw new Fault("cli/usage", `profiles ${verb}: expected no ${JSON.stringify(argument)}`);
    if (verb === "lint") return lint(invocation, argument);
    const { files } = invocation.io;
    const profiles = await profilesOf(files, await readSettings(files));
    for (const finding of profiles.findings ?? []) invocation.out.talk(formatFinding(finding));
    switch (verb) {
      case "list":
        return list(invocation, profiles);
      case "show":
        return show(invocation, profiles, argument);
      case "match":
        return textFlag(invocation.flags, "batch") === undefined
          ? match(invocation, profiles)
          : batch(invocation, profiles);
      case "report":
        return report(invocation, profiles);
      default:
        throw new Fault(
          "cli/usage",
          `profiles: expected list, show, match, report or lint, got ${JSON.stringify(verb)}`,
        );
    }
  },
};

function list({ json, out }: Invocation, set: ProfileSet): number {
  const profiles = allProfiles(set);
  if (json)
    out.data(
      prettyJson({
        v: 1,
        profiles: profiles.map(({ id, title, vendor, status }) => ({ id, title, vendor, status })),
      }),
    );
  else {
    const width = Math.max(...profiles.map(({ id }) => id.length));
    for (const { id, title, status } of profiles)
      out.data(`${id.padEnd(width)} ${title} (${status.level})`);
  }
  return exitCodes.done;
}

function show({ json, out }: Invocation, profiles: ProfileSet, id: string | undefined): number {
  const profile = profiles.find(id ?? "");
  if (profile === undefined) {
    const ids = [...profiles.rules].map((each) => each.id);
    throw new Fault("cli/usage", `there is no profile ${JSON.stringify(id ?? "")}`, {
      hint: idHint(id ?? "", ids),
    });
  }
  out.data(json ? prettyJson({ v: 1, profile }) : prettyJson(profile));
  return exitCodes.done;
}

/** The profiles that begin as this one, else the one that it looks like, else those that have it in their name. */
function idHint(id: string, known: readonly string[]): string {
  const begun = id === "" ? [] : known.filter((each) => each.startsWith(id));
  const near = begun.length === 0 ? nearest(id, known) : undefined;
  if (near !== undefined) return `did you mean ${near}?`;
  const word = id.toLowerCase();
  const alike =
    begun.length > 0 || word === "" ? begun : known.filter((each) => each.includes(word));
  const shown = alike.slice(0, maxShownIds);
  const more = alike.length > shown.length ? ["…"] : [];
  return alike.length === 0
    ? "firstlight profiles list"
    : `there are ${[...shown, ...more].join(", ")}`;
}

async function match(invocation: Invocation, profiles: ProfileSet): Promise<number> {
  const { json, out } = invocation;
  const facts = await factsOf(invocation);
  const found = explainMatch(facts, profiles);
  out.data(
    json
      ? prettyJson({ v: 1, ...found })
      : drawMatch({ found, facts, profiles }, out.page).join("\n"),
  );
  if (!json && ["generic", "none"].includes(found.confidence))
    out.talk(
      "no profile knows this model: `firstlight profiles report` prints what to send for one",
    );
  return found.applied === null ? exitCodes.degraded : exitCodes.done;
}

async function factsOf({ io, flags, signal }: Invocation): Promise<Facts> {
  const file = textFlag(flags, "facts");
  return file === undefined
    ? readFacts(io)
    : (await import("../facts-file.ts")).readFactsFile(file, signal);
}

/** Always JSON: it is for another person's files. */
async function report(invocation: Invocation, profiles: ProfileSet): Promise<number> {
  const { profileReport } = await import("#provisioner/profiles/report.ts");
  invocation.out.data(prettyJson(profileReport(await factsOf(invocation), profiles)));
  invocation.out.talk(
    "serial numbers, addresses and names that somebody chose are taken out; look through it before you send it",
  );
  return exitCodes.done;
}

async function batch({ flags, out, signal }: Invocation, profiles: ProfileSet): Promise<number> {
  const { identityMatcher, parseIdentity } = await import("#provisioner/profiles/identity.ts");
  const file = textFlag(flags, "batch") ?? "-";
  const bytes = await readInput(file, { signal, maxBytes: maxBatchBytes });
  const matchIdentity = identityMatcher(profiles);
  let bad = 0;
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const { id, profile, confidence } = matchIdentity(parseIdentity(parseRow(line)));
      out.data(JSON.stringify({ id, profile, confidence }));
    } catch (error) {
      if (!isFault(error)) throw error;
      bad += 1;
      out.talk(`${file}:${index + 1}: ${error.message} [${error.code}]`);
    }
  }
  return bad === 0 ? exitCodes.done : exitCodes.invalidInput;
}

function parseRow(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Fault("profile/identity-malformed", "expected a JSON array", { cause });
  }
}

async function lint({ io, json, out }: Invocation, directory: string | undefined): Promise<number> {
  const { lintProfiles } = await import("#provisioner/profiles/lint.ts");
  const files = hostFiles("/", () => {});
  const where = path.resolve(directory ?? "hardware-profiles");
  const ofProfiles = lintProfiles(files, {
    directory: where,
    today: timestamp(io.clock).slice(0, 10),
    ...(directory === undefined ? {} : { beside: await findAssets().profiles() }),
  });
  const ofModules = await parseModules(io, files, where);
  if (ofModules === undefined)
    out.talk("there is no nix-instantiate here: whether each module.nix is Nix was not looked at");
  const findings = [...ofProfiles, ...(ofModules ?? [])];
  if (json) out.data(prettyJson({ v: 1, findings }));
  else for (const finding of findings) out.data(formatFinding(finding));
  if (!json && findings.length === 0) out.talk("nothing is wrong");
  return hasErrors(findings) ? exitCodes.invalidInput : exitCodes.done;
}

/** What is no Nix; `undefined` where there is no Nix to tell. */
async function parseModules(
  io: Io,
  files: Files,
  directory: string,
): Promise<readonly Finding[] | undefined> {
  const { lintModules } = await import("#provisioner/profiles/lint-modules.ts");
  try {
    return await lintModules(io, files, directory);
  } catch (error) {
    if (isFault(error, "exec/not-found")) return undefined;
    throw error;
  }
}
