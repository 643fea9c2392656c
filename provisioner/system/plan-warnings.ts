import { setsPasswordOf } from "#provisioner/render/account-passwords.ts";
import { type Package, packagesOf, type StoreObject } from "./closure-difference.ts";
import { compareVersions } from "./package-name.ts";
import type { SetOptions } from "./plan-options.ts";
import type { SystemView } from "./system-view.ts";

/** Something that a person should know before a plan is approved. */
export interface PlanWarning {
  readonly kind: /** Changes of units that would not take effect, or a preview that is not whole. */
    | "units"
    /** Evaluated with root's privileges. */
    | "evaluation"
    /** It takes a reboot, and cannot be tried by one. */
    | "reboot"
    /** Its own checks before a switch refuse it now, or could not be asked. */
    | "check"
    /** Its first boot after the commit has no way back of its own from the beginning. */
    | "first-boot"
    /** The closures could not be compared. */
    | "closure"
    | "state-version"
    | "database"
    | "release"
    | "user"
    | "login"
    | "sshd"
    /** It would report nowhere. */
    | "report";
  readonly message: string;
}

/** One side of a plan, as far as it is known. */
export interface PlanSide {
  readonly view: SystemView;
  readonly options: SetOptions | undefined;
  readonly objects: readonly StoreObject[];
}

/**
 * Databases whose newer versions rewrite what they keep: by the name of their package, and how many
 * numbers of a version make a major one.
 */
const databases: Readonly<Record<string, number>> = {
  cassandra: 2,
  clickhouse: 1,
  cockroachdb: 1,
  couchdb: 1,
  elasticsearch: 1,
  influxdb: 1,
  influxdb2: 1,
  "mariadb-server": 2,
  mongodb: 2,
  mysql: 2,
  neo4j: 1,
  nextcloud: 1,
  opensearch: 1,
  postgresql: 1,
  "postgresql-and-plugins": 1,
  redis: 1,
  valkey: 1,
};

/** What a rollback cannot undo, and what may lock somebody out. */
export function planWarnings(old: PlanSide, now: PlanSide): readonly PlanWarning[] {
  return [
    ...stateVersion(old.options, now.options),
    ...release(old.view, now.view),
    ...databaseMajors(packagesOf(old.objects), packagesOf(now.objects)),
    ...removedUsers(old.options, now.options),
    ...leftPasswords(old.options, now.options),
    ...lostKeys(old.view, now.view),
    ...lostSshd(old.view, now.view),
    ...lostReport(old.options, now.options),
  ];
}

function stateVersion(
  old: SetOptions | undefined,
  now: SetOptions | undefined,
): readonly PlanWarning[] {
  const option = "system.stateVersion";
  const [before, after] = [old?.values.get(option), now?.values.get(option)];
  if (before === undefined || after === undefined || before === after) return [];
  const message = `${option} changes from ${before} to ${after}: services may look for their data elsewhere or in another form, and a rollback does not bring it back`;
  return [{ kind: "state-version", message }];
}

function release(old: SystemView, now: SystemView): readonly PlanWarning[] {
  if (old.release === null || now.release === null) return [];
  if (compareVersions(old.release, now.release) <= 0) return [];
  const message = `NixOS goes back from ${old.release} to ${now.release}: programs may not read the data that newer ones have written`;
  return [{ kind: "release", message }];
}

function databaseMajors(
  old: ReadonlyMap<string, Package>,
  now: ReadonlyMap<string, Package>,
): readonly PlanWarning[] {
  return Object.entries(databases).flatMap(([name, numbers]): readonly PlanWarning[] => {
    const majors = (side: ReadonlyMap<string, Package>) => [
      ...new Set((side.get(name)?.whole ?? []).map((version) => major(version, numbers))),
    ];
    const [before, after] = [majors(old), majors(now)];
    const isSame = before.every((each) => after.includes(each));
    if (before.length === 0 || after.length === 0 || isSame) return [];
    const message = `${name} changes from ${before.join(", ")} to ${after.join(", ")}: what the new one writes the old one may not read, and a rollback does not take it back; save the data first`;
    return [{ kind: "database", message }];
  });
}

function major(version: string, numbers: number): string {
  return version.split(".").slice(0, numbers).join(".");
}

function removedUsers(
  old: SetOptions | undefined,
  now: SetOptions | undefined,
): readonly PlanWarning[] {
  if (old === undefined || now === undefined) return [];
  const left = usersOf(now);
  return [...usersOf(old)]
    .filter((user) => !left.has(user))
    .map((user) => ({
      kind: "user",
      message: `user ${user} is no longer declared: its home stays, its login and its processes may not`,
    }));
}

/** Accounts that are declared as such, and not only added to. */
function usersOf({ values }: SetOptions): ReadonlySet<string> {
  const names = [...values.keys()].flatMap(
    (option) => /^users\.users\.("?)(.+?)\1\.is(?:Normal|System)User$/.exec(option)?.[2] ?? [],
  );
  return new Set(names);
}

/**
 * What was done to the password of an account that the new system says nothing of. It is not taken back: a
 * person may have locked it as well, and the hash from before is nowhere.
 */
function leftPasswords(
  old: SetOptions | undefined,
  now: SetOptions | undefined,
): readonly PlanWarning[] {
  if (old === undefined || now === undefined) return [];
  const declared = usersOf(now);
  return [...old.values].flatMap(([option, value]): readonly PlanWarning[] => {
    const user = passwordOption.exec(option)?.[2];
    if (user === undefined || !setsPasswordOf(old.values, user)) return [];
    if (setsPasswordOf(now.values, user)) return [];
    const isSure = user === "root" || declared.has(user);
    const where = isSure ? "" : ", where the account is the image's as well";
    const [what, by] = value.endsWith('"!"')
      ? ["its password stays locked", `passwd --unlock ${user}`]
      : ["its password stays the one that was set", `passwd ${user}`];
    const message = `${user}: ${what}${where}: the new system says nothing of it; \`${by}\` changes that`;
    return [{ kind: "login", message }];
  });
}

const passwordOption = /^users\.users\.("?)(.+?)\1\.hashedPassword(?:File)?$/;

function lostKeys(old: SystemView, now: SystemView): readonly PlanWarning[] {
  const lost = old.keyUsers.filter((user) => !now.keyUsers.includes(user));
  if (lost.length === 0) return [];
  const message =
    now.keyUsers.length === 0
      ? `no user has an ssh key any more (${lost.join(", ")} had): only a password, a console or a key in a home directory leads in`
      : `${lost.join(", ")}: no ssh key any more`;
  return [{ kind: "login", message }];
}

function lostSshd(old: SystemView, now: SystemView): readonly PlanWarning[] {
  if (!old.sshd || now.sshd) return [];
  return [{ kind: "sshd", message: "sshd is switched off: nobody can log in over the network" }];
}

function lostReport(
  old: SetOptions | undefined,
  now: SetOptions | undefined,
): readonly PlanWarning[] {
  if (old === undefined || now === undefined) return [];
  if (!namesBroker(old) || namesBroker(now)) return [];
  const message =
    "no broker is named any more: where the node reaches one now, the change is taken back, unless health.keep leaves out link";
  return [{ kind: "report", message }];
}

/** By a document, else by the image. */
function namesBroker({ values }: SetOptions): boolean {
  const host = "report.mqtt.host";
  return values.has(host) || values.has(`services.firstlight.settings.${host}`);
}
