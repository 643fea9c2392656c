import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { describeStaged, namer } from "#fleet/trust/describe-staged.ts";
import { digestOfSigned } from "#fleet/trust/read-repository.ts";
import type { Repository, StagedRole } from "#fleet/trust/repository.ts";
import { missingOf, publishReady, signStaged, waitsFor } from "#fleet/trust/stage.ts";
import { type Invocation, textFlag } from "../command.ts";
import { askYes } from "./ask.ts";
import { keyOpener, openRepository, spanOf, usualDays } from "./given.ts";

const roles: readonly StagedRole[] = ["root", "targets"];

/** `firstlight fleet sign [--key NAME]` */
export async function sign(invocation: Invocation): Promise<number> {
  const { io, out, flags, json } = invocation;
  const repository = openRepository(invocation);
  const name = textFlag(flags, "key");
  if (name === undefined) {
    if (json) out.data(prettyJson({ v: 1, waiting: waitingOf(repository) }));
    else if (waitingOf(repository).length === 0) out.data("nothing waits for a signature");
    else for (const line of drawn(repository)) out.data(line);
    return exitCodes.done;
  }
  const signed = await signAs(invocation, repository, name);
  const span = spanOf(invocation, usualDays.targets);
  const { repository: after, published } = publishReady(io.files, signed, span);
  if (json) out.data(prettyJson({ v: 1, published, waiting: waitingOf(after) }));
  else {
    for (const { role, version } of published) out.talk(`${role} ${version} is signed and counts`);
    tellWaiting(invocation, after);
  }
  return exitCodes.done;
}

/** Everything that waits for this key and that the person confirms. */
async function signAs(
  invocation: Invocation,
  repository: Repository,
  name: string,
): Promise<Repository> {
  const key = repository.keys.get(name);
  if (key === undefined)
    throw new Fault("signing/key-unknown", `there is no key ${JSON.stringify(name)}`);
  const open = keyOpener(invocation, repository);
  let signed = repository;
  let count = 0;
  for (const role of roles) {
    if (!waitsFor(signed, role, key.keyid)) continue;
    const digest = await confirm(invocation, signed, role);
    if (digest === undefined) continue;
    signed = await signStaged(invocation.io.files, signed, {
      role,
      signer: await open(name),
      digest,
    });
    count += 1;
  }
  if (count > 0) return signed;
  const waits = roles.some((role) => waitsFor(repository, role, key.keyid));
  throw waits
    ? new Fault("signing/unconfirmed", "nothing was signed")
    : new Fault("signing/nothing-waits", `nothing waits for a signature of ${name}`);
}

/** Shows what is to be signed; its digest when the person wants that, `undefined` when not. */
async function confirm(
  invocation: Invocation,
  repository: Repository,
  role: StagedRole,
): Promise<string | undefined> {
  const { out, flags, signal } = invocation;
  const metadata = repository.staged[role];
  if (metadata === undefined) return undefined;
  for (const line of linesOf(repository, role)) out.talk(line);
  const digest = digestOfSigned(metadata);
  const said = textFlag(flags, "digest");
  if (said !== undefined) return said.split(",").includes(digest) ? digest : undefined;
  const answer = await askYes(`sign ${role} ${metadata.signed.version}?`, signal);
  if (answer === undefined)
    throw new Fault("signing/unconfirmed", `${role}: nobody is at a terminal to say yes`);
  return answer ? digest : undefined;
}

/** What waits, as plain data. */
function waitingOf(repository: Repository) {
  return roles.flatMap((role) => {
    const metadata = repository.staged[role];
    if (metadata === undefined) return [];
    const { version, expires } = metadata.signed;
    return [
      {
        role,
        version,
        expires,
        digest: digestOfSigned(metadata),
        changes: describeStaged(repository, role),
        missing: missingOf(repository, role),
      },
    ];
  });
}

function drawn(repository: Repository): readonly string[] {
  return roles.flatMap((role) => linesOf(repository, role));
}

function linesOf(repository: Repository, role: StagedRole): readonly string[] {
  const metadata = repository.staged[role];
  if (metadata === undefined) return [];
  const { version, expires } = metadata.signed;
  const nameOf = namer(repository.keys);
  return [
    `${role} ${version}, until ${expires}`,
    ...describeStaged(repository, role).map((line) => `  ${line}`),
    `  digest ${digestOfSigned(metadata)}`,
    ...missingOf(repository, role).map(
      ({ role: of, have, need, open }) =>
        `  ${have} of ${need} signatures of ${of}; may sign: ${open.map(nameOf).join(", ")}`,
    ),
  ];
}

/** Says what waits now and whose signatures it needs. */
export function tellWaiting({ out }: Pick<Invocation, "out">, repository: Repository): void {
  for (const line of drawn(repository)) out.talk(line);
}
