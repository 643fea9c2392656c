import path from "node:path";
import { readFacts } from "#agent/facts/read-facts.ts";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { formatFinding, hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import { timestamp } from "#core/io.ts";
import { nearest } from "#core/nearest.ts";
import { describeNeeds } from "#provisioner/profiles/declared.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { allProfiles, type Match, type ProfileSet } from "#provisioner/profiles/profile.ts";
import { findAssets } from "../assets.ts";
import { type Command, type Invocation, textFlag } from "../command.ts";
import { readInput } from "../read-input.ts";

/** Some hundred thousand machines. */
const maxBatchBytes = 256 * 1024 * 1024;

/** `firstlight profiles` */
export const command: Command = {
  usage: "profiles list | show ID | match [--facts FILE] [--batch FILE.jsonl] | lint [DIR]",
  summary: "Hardware profiles: which there are, which one fits this machine and why.",
  options: { facts: { type: "string" }, batch: { type: "string" } },
  arity: [1, 2],
  async run(invocation) {
    const [verb = "", argument] = invocation.args;
    if (argument !== undefined && (verb === "list" || verb === "match"))
      throw new Fault("cli/usage", `profiles ${verb}: expected no ${JSON.stringify(argument)}`);
    if (verb === "lint") return lint(invocation, argument);
    const profiles = await findAssets().profiles();
    switch (verb) {
      case "list":
        return list(invocation, profiles);
      case "show":
        return show(invocation, profiles, argument);
      case "match":
        return textFlag(invocation.flags, "batch") === undefined
          ? match(invocation, profiles)
          : batch(invocation, profiles);
      default:
        throw new Fault(
          "cli/usage",
          `profiles: expected list, show, match or lint, got ${JSON.stringify(verb)}`,
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
  else
    for (const { id, title, status } of profiles)
      out.data(`${id.padEnd(28)} ${title} (${status.level})`);
  return exitCodes.done;
}

function show({ json, out }: Invocation, profiles: ProfileSet, id: string | undefined): number {
  const profile = profiles.find(id ?? "");
  if (profile === undefined) {
    const near = nearest(
      id ?? "",
      [...profiles.rules].map((each) => each.id),
    );
    throw new Fault("cli/usage", `there is no profile ${JSON.stringify(id ?? "")}`, {
      hint: near === undefined ? "firstlight profiles list" : `did you mean ${near}?`,
    });
  }
  out.data(json ? prettyJson({ v: 1, profile }) : prettyJson(profile));
  return exitCodes.done;
}

async function match(invocation: Invocation, profiles: ProfileSet): Promise<number> {
  const { io, json, out, flags, signal } = invocation;
  const file = textFlag(flags, "facts");
  const facts =
    file === undefined
      ? readFacts(io)
      : await (await import("../facts-file.ts")).readFactsFile(file, signal);
  const found = matchProfile(facts, profiles);
  out.data(json ? prettyJson({ v: 1, ...found }) : describe(found, profiles));
  return found.applied === null ? exitCodes.degraded : exitCodes.done;
}

function describe(found: Match, profiles: ProfileSet): string {
  const evidence = found.evidence.map(
    ({ rule, what, expected, got, truth }) =>
      `  ${rule} ${what}: expected ${expected}, got ${got ?? "nothing"}: ${truth}`,
  );
  const components = found.components.map(({ id, evidence: by }) => {
    const seen = by.map(({ what, got }) => `${what} ${got ?? "nothing"}`);
    return `with ${id}: ${seen.join(", ")}`;
  });
  const rejected = found.rejected.map(({ id, why }) => `  ${id}: ${why}`);
  const further = found.furtherRejected;
  const needs = (found.profile === null ? undefined : profiles.find(found.profile))?.needs ?? [];
  const offered = needs.length === 0 ? "" : `; the other one brings ${describeNeeds(needs)}`;
  const applied =
    found.applied === found.profile ? [] : [`used: ${found.applied ?? "none"}${offered}`];
  return [
    `${found.profile ?? "none"} (${found.confidence})`,
    ...applied,
    ...evidence,
    ...components,
    ...(rejected.length === 0 ? [] : ["not the nearest of the others:", ...rejected]),
    ...(further === 0 ? [] : [`  and ${further} more, which came less near`]),
  ].join("\n");
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
  const findings = lintProfiles(
    hostFiles("/", () => {}),
    {
      directory: path.resolve(directory ?? "hardware-profiles"),
      today: timestamp(io.clock).slice(0, 10),
    },
  );
  if (json) out.data(prettyJson({ v: 1, findings }));
  else for (const finding of findings) out.data(formatFinding(finding));
  if (!json && findings.length === 0) out.talk("nothing is wrong");
  return hasErrors(findings) ? exitCodes.invalidInput : exitCodes.done;
}
