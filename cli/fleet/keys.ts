import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { initFleet, type NamedRole } from "#fleet/trust/init.ts";
import { makeKey } from "#fleet/trust/key-store.ts";
import { signingPlaces } from "#fleet/trust/places.ts";
import { newest, type Repository } from "#fleet/trust/repository.ts";
import {
  changeKeys,
  delegationsOf,
  type FleetRole,
  isRootRole,
  type KeyChange,
  pathsOf,
  requireRole,
  rolesOf,
} from "#fleet/trust/roles.ts";
import { nextRoot, nextTargets, stage, withDelegation } from "#fleet/trust/stage.ts";
import { fleetNamePattern } from "#protocol/enroll/limits.ts";
import type { RoleKeys } from "#protocol/trust/sign/make-metadata.ts";
import type { Invocation } from "../command.ts";
import {
  directoryOf,
  keepingOf,
  listFlag,
  numberFlag,
  onlineOf,
  openRepository,
  requiredFlag,
  spanOf,
  usualDays,
} from "./given.ts";
import { tellWaiting } from "./sign.ts";

/** `firstlight fleet init DIR` */
export async function init(invocation: Invocation): Promise<number> {
  const { io, out, args, json } = invocation;
  const directory = path.resolve(args[0] ?? "");
  const fleet = requiredFlag(invocation, "fleet");
  if (!fleetNamePattern.test(fleet))
    throw new Fault("cli/usage", `--fleet: ${JSON.stringify(fleet)} is no name of a fleet`);
  const repository = await initFleet(io, directory, {
    fleet,
    root: namedRole(invocation, "root", { names: ["root-1", "root-2", "root-3"], threshold: 2 }),
    targets: namedRole(invocation, "targets", { names: ["targets-1", "targets-2"], threshold: 2 }),
    builders: buildersOf(invocation),
    online: onlineOf(invocation, directory),
    nowMs: io.clock.now(),
    rootDays: usualDays.root,
    targetsDays: usualDays.targets,
    keepNew: () => keepingOf(invocation),
  });
  const isSigned = repository.roots.length > 0;
  const image = `${signingPlaces(directory).metadata}/1.root.json`;
  if (json) out.data(prettyJson({ v: 1, fleet, directory, root: isSigned ? image : null }));
  else {
    out.talk(
      isSigned
        ? `${fleet}: images name ${image} as fleet.root`
        : `${fleet}: the first root waits for signatures`,
    );
    tellWaiting(invocation, repository);
  }
  return exitCodes.done;
}

function namedRole(invocation: Invocation, role: string, usual: NamedRole): NamedRole {
  const names = listFlag(invocation, `${role}-keys`) ?? usual.names;
  const threshold = numberFlag(invocation, `${role}-threshold`);
  return { names, threshold: threshold ?? Math.min(usual.threshold, names.length) };
}

function buildersOf(invocation: Invocation): Readonly<Record<string, NamedRole>> {
  const pairs = (listFlag(invocation, "builders") ?? []).map((each): [string, NamedRole] => {
    const [role = "", name = ""] = each.split("=");
    if (name === "" || !requireRole(role).startsWith("builder-"))
      throw new Fault("cli/usage", `--builders: expected builder-ROLE=KEY, got ${each}`);
    return [role, { names: [name], threshold: 1 }];
  });
  return Object.fromEntries(pairs);
}

/** `firstlight fleet keys …` */
export async function keys(invocation: Invocation): Promise<number> {
  const [verb = "", ...args] = invocation.args;
  const rest = { ...invocation, args };
  switch (verb) {
    case "list":
      return list(rest);
    case "new":
      return create(rest);
    case "add":
      return change(rest, "add");
    case "revoke":
      return change(rest, "revoke");
    case "rotate":
      return change(rest, "rotate");
    default:
      throw new Fault(
        "cli/usage",
        `fleet keys: expected list, new, add, rotate or revoke, got ${JSON.stringify(verb)}`,
      );
  }
}

function list(invocation: Invocation): number {
  const { out, json } = invocation;
  const repository = openRepository(invocation);
  const roles = rolesNow(repository);
  const all = [...repository.keys.values()].map(({ name, keyid, key, kept }) => ({
    name,
    keyid,
    scheme: key.scheme,
    kept,
    roles: roles
      .filter(([, held]) => held.keys.some((each) => each.keyid === keyid))
      .map(([role]) => role),
  }));
  if (json) {
    const thresholds = roles.map(([role, held]) => ({
      role,
      threshold: held.threshold,
      keys: held.keys.length,
    }));
    out.data(prettyJson({ v: 1, fleet: repository.fleet, roles: thresholds, keys: all }));
    return exitCodes.done;
  }
  for (const [role, held] of roles)
    out.data(`${role.padEnd(12)} ${held.threshold} of ${held.keys.length} keys must sign`);
  for (const { name, keyid, kept, roles: of } of all)
    out.data(
      `${name.padEnd(16)} ${keyid.slice(0, 16)}  ${kept.padEnd(6)}  ${of.join(", ") || "signs nothing"}`,
    );
  return exitCodes.done;
}

async function create(invocation: Invocation): Promise<number> {
  const { io, out, args, json } = invocation;
  const [name] = args;
  if (name === undefined || args.length > 1)
    throw new Fault("cli/usage", "fleet keys new: expected one name");
  const directory = directoryOf(invocation);
  const keeping = await keepingOf(invocation);
  const { key } = await makeKey(io, directory, { name, keeping });
  if (json) out.data(prettyJson(key));
  else
    out.talk(
      `${name}: ${signingPlaces(directory).keys}/${name}.json is for the others, and no secret`,
    );
  return exitCodes.done;
}

/** `add ROLE NAME`, `revoke ROLE NAME`, `rotate ROLE NAME NEW`. */
async function change(invocation: Invocation, verb: "add" | "revoke" | "rotate"): Promise<number> {
  const [roleName = "", name, next, ...more] = invocation.args;
  const isRight =
    name !== undefined && more.length === 0 && (next !== undefined) === (verb === "rotate");
  if (!isRight)
    throw new Fault(
      "cli/usage",
      `fleet keys ${verb}: expected ${verb === "rotate" ? "ROLE NAME NEWNAME" : "ROLE NAME"}`,
    );
  const role = requireRole(roleName);
  const repository = openRepository(invocation);
  const before = rolesNow(repository).find(([each]) => each === role)?.[1];
  const old = repository.keys.get(name);
  if (
    verb !== "add" &&
    (old === undefined || !before?.keys.some(({ keyid }) => keyid === old.keyid))
  )
    throw new Fault("signing/key-unknown", `${name}: no key of ${role} has this name`);
  const wanted = verb === "rotate" ? next : verb === "add" ? name : undefined;
  const added =
    wanted === undefined ? [] : [await keyFor(invocation, repository, { role, name: wanted })];
  const changed = changeKeys(role, before ?? { keys: [], threshold: 1 }, {
    add: added,
    remove: verb === "add" || old === undefined ? [] : [old.keyid],
    threshold: numberFlag(invocation, "threshold"),
  } satisfies KeyChange);
  stageKeys(invocation, repository, { role, changed });
  tellWaiting(invocation, openRepository(invocation));
  return exitCodes.done;
}

/** A key by its name; one that nobody has made yet is made, as its role keeps keys. */
async function keyFor(
  invocation: Invocation,
  { directory, keys: known }: Repository,
  { role, name }: { readonly role: FleetRole; readonly name: string },
) {
  const there = known.get(name);
  if (there !== undefined) return there;
  const isOnline = role === "director" || role === "snapshot" || role === "timestamp";
  const keeping = isOnline
    ? ({ kept: "online", online: onlineOf(invocation, directory) } as const)
    : await keepingOf(invocation);
  return (await makeKey(invocation.io, directory, { name, keeping })).key;
}

function stageKeys(
  invocation: Invocation,
  repository: Repository,
  { role, changed }: { readonly role: FleetRole; readonly changed: RoleKeys },
): void {
  const { files } = invocation.io;
  if (isRootRole(role)) {
    const span = spanOf(invocation, usualDays.root);
    const signed = nextRoot(repository, (roles) => ({ ...required(roles), [role]: changed }), span);
    stage(files, repository, { role: "root", signed });
    return;
  }
  const signed = nextTargets(
    repository,
    (image) => ({
      ...image,
      delegations: withDelegation(image.delegations, {
        name: role,
        paths: pathsOf(role),
        ...changed,
      }),
    }),
    spanOf(invocation, usualDays.targets),
  );
  stage(files, repository, { role: "targets", signed });
}

function required<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new Fault("signing/not-signed", "the first root is not made yet");
}

/** Every role with its keys, as what waits would have it. */
function rolesNow({
  roots,
  targets,
  staged,
}: Repository): readonly (readonly [string, RoleKeys])[] {
  const root = staged.root ?? newest(roots);
  const image = staged.targets ?? newest(targets);
  return [
    ...(root === undefined ? [] : Object.entries(rolesOf(root))),
    ...(image === undefined ? [] : delegationsOf(image).map((each) => [each.name, each] as const)),
  ];
}
