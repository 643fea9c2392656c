import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, hasErrors } from "#core/finding.ts";
import { describeTarget } from "#fleet/trust/describe-staged.ts";
import { signingPlaces } from "#fleet/trust/places.ts";
import { makeRelease } from "#fleet/trust/release.ts";
import { newest, type Repository } from "#fleet/trust/repository.ts";
import { nextTargets, stage, withTarget } from "#fleet/trust/stage.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { ImageTargets } from "#protocol/trust/sign/make-metadata.ts";
import { maxManifestBytes } from "#provisioner/system/fetch/verify-manifest.ts";
import { type Invocation, textFlag } from "../command.ts";
import { namedSecrets } from "../named-secrets.ts";
import { readInput } from "../read-input.ts";
import { translateAway } from "../translate-away.ts";
import { listFlag, numberFlag, openRepository, spanOf, usualDays } from "./given.ts";
import { tellWaiting } from "./sign.ts";

/** `firstlight fleet release …` */
export async function release(invocation: Invocation): Promise<number> {
  const [verb = "", ...args] = invocation.args;
  const rest = { ...invocation, args };
  switch (verb) {
    case "add":
      return add(rest);
    case "list":
      return list(rest);
    case "revoke":
      return change(rest, (image, target) => ({
        ...image,
        revoked: [...new Set([...(image.revoked ?? []), target])].sort(),
      }));
    case "remove":
      return change(rest, (image, target) => ({
        ...image,
        targets: Object.fromEntries(
          Object.entries(image.targets).filter(([each]) => each !== target),
        ),
      }));
    case "minimum":
      return minimum(rest);
    default:
      throw new Fault(
        "cli/usage",
        `fleet release: expected add, list, revoke, remove or minimum, got ${JSON.stringify(verb)}`,
      );
  }
}

async function add(invocation: Invocation): Promise<number> {
  const { io, out, args, flags, json } = invocation;
  if (args.length > 1) throw new Fault("cli/usage", "fleet release add: expected one FILE");
  const [file] = args;
  const repository = openRepository(invocation);
  const number = numberFlag(invocation, "number") ?? nextNumber(repository);
  const closureFile = textFlag(flags, "closure");
  const healthFile = textFlag(flags, "health");
  const made = makeRelease({
    name: textFlag(flags, "name") ?? `${number}`,
    number,
    spec: file === undefined ? undefined : await readSpec(invocation, file),
    closure: closureFile === undefined ? undefined : await readText(invocation, closureFile),
    health: healthFile === undefined ? undefined : await readHealth(invocation, healthFile),
    minimumAgent: textFlag(flags, "minimum-agent"),
    hardware: listFlag(invocation, "hardware"),
    platforms: listFlag(invocation, "platforms"),
  });
  const { path: target, closure } = made;
  const signed = nextTargets(
    repository,
    (image) => {
      const targets = withTarget(image.targets, target, made.target);
      if (closure === undefined) return { ...image, targets };
      const system = `closure/${closure.inputDigest}`;
      return { ...image, targets: withTarget(targets, system, closure.target) };
    },
    spanOf(invocation, usualDays.targets),
  );
  const places = signingPlaces(repository.directory);
  if (closure !== undefined && closureFile !== undefined)
    io.files.write(
      `${places.closures}/${closure.inputDigest}.json`,
      await readText(invocation, closureFile),
      { mode: 0o644 },
    );
  const name = target.slice("release/".length);
  io.files.write(`${places.releases}/${name}.json`, made.document, { mode: 0o644 });
  stage(io.files, repository, { role: "targets", signed });
  if (json) out.data(prettyJson({ v: 1, release: name, target: made.target }));
  else tellWaiting(invocation, openRepository(invocation));
  return exitCodes.done;
}

function nextNumber({ targets, staged }: Repository): number {
  const all = Object.values((staged.targets ?? newest(targets))?.signed.targets ?? {});
  return Math.max(0, ...all.map(({ custom }) => custom?.number ?? 0)) + 1;
}

function list(invocation: Invocation): number {
  const { out, json } = invocation;
  const { targets, staged } = openRepository(invocation);
  const signed = newest(targets)?.signed.targets ?? {};
  const all = Object.entries({ ...staged.targets?.signed.targets, ...signed })
    .filter(([target]) => target.startsWith("release/"))
    .map(([target, said]) => ({
      release: target.slice("release/".length),
      target: said,
      isSigned: Object.hasOwn(signed, target),
      isRevoked: newest(targets)?.signed.revoked?.includes(target) ?? false,
    }));
  if (json) out.data(prettyJson({ v: 1, releases: all }));
  else
    for (const { release: name, target, isSigned, isRevoked } of all) {
      const marks = `${isSigned ? "" : "  waits for signatures"}${isRevoked ? "  revoked" : ""}`;
      out.data(`${name}  ${describeTarget(target)}${marks}`);
    }
  return exitCodes.done;
}

function change(
  invocation: Invocation,
  make: (image: ImageTargets, target: string) => ImageTargets,
): number {
  const [name, ...more] = invocation.args;
  if (name === undefined || more.length > 0)
    throw new Fault("cli/usage", "fleet release: expected the name of one release");
  const target = `release/${name}`;
  return restage(invocation, (image) => {
    if (!Object.hasOwn(image.targets, target))
      throw new Fault("signing/release-unknown", `${target}: the owners name no such release`);
    return make(image, target);
  });
}

function minimum(invocation: Invocation): number {
  const [number = "", ...more] = invocation.args;
  if (!/^[0-9]{1,15}$/.test(number) || more.length > 0)
    throw new Fault("cli/usage", "fleet release minimum: expected a number");
  return restage(invocation, (image) => ({ ...image, minimumRelease: Number(number) }));
}

function restage(invocation: Invocation, make: (image: ImageTargets) => ImageTargets): number {
  const repository = openRepository(invocation);
  const signed = nextTargets(repository, make, spanOf(invocation, usualDays.targets));
  stage(invocation.io.files, repository, { role: "targets", signed });
  tellWaiting(invocation, openRepository(invocation));
  return exitCodes.done;
}

async function readText({ signal }: Invocation, file: string): Promise<string> {
  return Buffer.from(await readInput(file, { signal, maxBytes: maxManifestBytes })).toString();
}

/** A document as a node would read it; no secret goes into a release, for every hand on the way sees it. */
async function readSpec(invocation: Invocation, file: string): Promise<Spec> {
  const { out, flags, signal } = invocation;
  const bytes = await readInput(file, { signal });
  const given = namedSecrets(flags);
  const document = file === "-" ? "stdin" : path.basename(file);
  const { spec, secrets, findings } = await translateAway(
    { userData: { document, bytes } },
    { signers: [], secrets: given },
  );
  const told = findings.filter(({ level }) => level !== "note");
  if (hasErrors(findings)) throw invalid(file, "it has errors", told);
  out.findings(told);
  const held = [...secrets.keys()].filter((name) => !given.has(name));
  if (held.length > 0)
    throw invalid(file, `it holds secrets: ${held.join(", ")}`, [], {
      hint: "take them out and refer to them (`secretRef`), or seal them to the nodes (docs/secrets.md)",
    });
  return spec;
}

async function readHealth(invocation: Invocation, file: string): Promise<object> {
  const { version: _, health, ...rest } = await readSpec(invocation, file);
  if (health !== undefined && Object.keys(rest).length === 0) return health;
  throw invalid(file, "expected a document that says `health` and nothing else");
}

function invalid(
  file: string,
  what: string,
  findings: readonly Finding[] = [],
  options: { readonly hint?: string } = {},
): Fault {
  return new Fault("signing/release-invalid", `${file}: ${what}`, { findings, ...options });
}
