import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { readOptions } from "./plan-options.ts";
import { type PlanSide, planWarnings } from "./plan-warnings.ts";
import type { SystemView } from "./system-view.ts";

interface Side {
  readonly view?: Partial<SystemView>;
  readonly options?: Readonly<Record<string, string>>;
  readonly paths?: readonly string[];
}

function side({ view, options, paths = [] }: Side): PlanSide {
  const values = new Map(Object.entries(options ?? {}));
  return {
    view: { release: "25.11", sshd: true, keyUsers: ["alice"], ...view },
    options: options === undefined ? undefined : { values, setBy: () => null, unfree: [] },
    objects: paths.map((name) => ({ path: `/nix/store/${"0".repeat(32)}-${name}`, bytes: 1 })),
  };
}

/** What a system sets for these users, as its sources have it. */
function users(said: NonNullable<Spec["users"]>): Readonly<Record<string, string>> {
  const rendered = tryRender({ users: said }, { base: { mutableUsers: true } });
  return Object.fromEntries(readOptions((file) => fileOf(rendered, file))?.values ?? []);
}

const locked = { locked: true };
const hashed = { passwordHash: { secretRef: "a" } };

const cases: Record<string, { old: Side; now: Side; warnings: readonly object[] }> = {
  "nothing of what stays": {
    old: { options: { "system.stateVersion": '"25.11"' }, paths: ["postgresql-16.4"] },
    now: { options: { "system.stateVersion": '"25.11"' }, paths: ["postgresql-16.9"] },
    warnings: [],
  },
  "another stateVersion": {
    old: { options: { "system.stateVersion": '"25.11"' } },
    now: { options: { "system.stateVersion": '"26.05"' } },
    warnings: [{ kind: "state-version", message: /from "25\.11" to "26\.05"/ }],
  },
  "an older release of NixOS": {
    old: { view: { release: "26.05" } },
    now: { view: { release: "25.11" } },
    warnings: [{ kind: "release", message: /back from 26\.05 to 25\.11/ }],
  },
  "a newer release, or one that is not known: nothing": {
    old: { view: { release: "25.11" } },
    now: { view: { release: null } },
    warnings: [],
  },
  "a database of another major version": {
    old: { paths: ["postgresql-15.8", "mariadb-server-10.11.6", "redis-7.2.4"] },
    now: { paths: ["postgresql-16.4", "mariadb-server-11.4.2", "redis-7.4.0"] },
    warnings: [
      { kind: "database", message: /^mariadb-server changes from 10\.11 to 11\.4/ },
      { kind: "database", message: /^postgresql changes from 15 to 16/ },
    ],
  },
  "a database that goes back": {
    old: { paths: ["elasticsearch-8.1.0"] },
    now: { paths: ["elasticsearch-7.17.2"] },
    warnings: [{ kind: "database", message: /from 8 to 7/ }],
  },
  "a database beside the old one, its libraries only, or one that goes: nothing": {
    old: { paths: ["postgresql-15.8", "mongodb-6.0.1", "mysql-8.0.36-lib"] },
    now: { paths: ["postgresql-15.8", "postgresql-16.4", "mysql-9.1.0-lib"] },
    warnings: [],
  },
  "a user that is no longer declared": {
    old: {
      options: {
        "users.users.alice.isNormalUser": "true",
        'users.users."a.b".isSystemUser': "true",
        "users.users.root.hashedPassword": '"!"',
      },
    },
    now: { options: { "users.users.alice.isNormalUser": "true" } },
    warnings: [{ kind: "user", message: /^user a\.b is no longer declared/ }],
  },
  "what was done to passwords, where nothing is said of them any more": {
    old: { options: users({ root: locked, bob: locked, "b.b": hashed, carol: hashed }) },
    now: { options: users({ bob: {}, carol: hashed }) },
    warnings: [
      { kind: "user", message: /^user b\.b is no longer declared/ },
      {
        kind: "login",
        message:
          /^b\.b: its password stays the one that was set, where the account is the image's as well: .*`passwd b\.b`/,
      },
      { kind: "login", message: /^bob: its password stays locked: .*`passwd --unlock bob`/ },
      { kind: "login", message: /^root: its password stays locked: / },
    ],
  },
  "passwords that the new system sets, locks or unlocks itself: nothing": {
    old: { options: users({ root: locked, bob: hashed, carol: hashed }) },
    now: { options: users({ root: { locked: false }, bob: locked, carol: hashed }) },
    warnings: [],
  },
  "no warning of users where one side is not known": {
    old: { options: { "users.users.alice.isNormalUser": "true" } },
    now: {},
    warnings: [],
  },
  "a user without keys": {
    old: { view: { keyUsers: ["alice", "bob"] } },
    now: { view: { keyUsers: ["alice"] } },
    warnings: [{ kind: "login", message: /^bob: no ssh key any more/ }],
  },
  "the last user without keys": {
    old: { view: { keyUsers: ["alice", "bob"] } },
    now: { view: { keyUsers: [] } },
    warnings: [{ kind: "login", message: /^no user has an ssh key any more \(alice, bob had\)/ }],
  },
  "sshd that is switched off": {
    old: {},
    now: { view: { sshd: false } },
    warnings: [{ kind: "sshd", message: /switched off/ }],
  },
  "a broker that nobody names any more": {
    old: { options: { "report.mqtt.host": '"192.0.2.1"' } },
    now: { options: { "report.fleet": '"f"' } },
    warnings: [{ kind: "report", message: /^no broker is named any more/ }],
  },
  "another broker, the image's, or a system of which that is not known: nothing": {
    old: { options: { "report.mqtt.host": '"192.0.2.1"' } },
    now: { options: { "services.firstlight.settings.report.mqtt.host": '"192.0.2.2"' } },
    warnings: [],
  },
  "sshd that is switched on: nothing": { old: { view: { sshd: false } }, now: {}, warnings: [] },
};

for (const [name, { old, now, warnings }] of Object.entries(cases)) {
  t.test(`warned of: ${name}`, async (t) => {
    const found = planWarnings(side(old), side(now));
    t.equal(found.length, warnings.length);
    t.match(found, warnings);
  });
}
