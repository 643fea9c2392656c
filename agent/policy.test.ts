import t from "tap";
import type { Settings } from "#generated/agent/settings.ts";
import type { Instance } from "./datasources/datasource.ts";
import type { PinnedInstance } from "./pinned-instance.ts";
import { decide } from "./policy.ts";

const instance: Instance = {
  v: 1,
  datasource: { name: "NoCloud", place: "disk", identity: "disk:1", removable: true, evidence: [] },
  instanceId: "i-1",
  hostname: null,
  publicKeys: [],
  metaData: {},
  userData: null,
  vendorData: null,
  networkConfig: null,
};
const pinned: PinnedInstance = {
  v: 1,
  datasource: "NoCloud",
  identity: "disk:1",
  instanceId: "i-1",
  inputsDigest: "same",
  changes: null,
  at: "",
};

interface Case {
  readonly when: string;
  readonly pinned?: PinnedInstance | null;
  readonly instance?: Partial<Instance>;
  readonly digest?: string;
  readonly settings?: Settings;
  readonly enrolled?: boolean;
  readonly want: readonly [string, string];
}

const otherDisk = { ...instance.datasource, identity: "disk:2" };
const otherCloud = { ...instance.datasource, name: "Ec2", identity: "ec2", removable: false };

const cases: readonly Case[] = [
  { when: "nothing is pinned", pinned: null, want: ["first-boot", "apply"] },
  {
    when: "nothing is pinned on an enrolled node",
    pinned: null,
    enrolled: true,
    want: ["first-boot", "apply"],
  },
  { when: "nothing changed", want: ["nothing", "apply"] },
  { when: "nothing changed on an enrolled node", enrolled: true, want: ["nothing", "apply"] },
  { when: "the user-data changed", digest: "other", want: ["user-data", "apply"] },
  {
    when: "the user-data changed on an enrolled node",
    digest: "other",
    enrolled: true,
    want: ["user-data", "require-signature"],
  },
  {
    when: "the settings allow it on an enrolled node",
    digest: "other",
    enrolled: true,
    settings: { policy: { changes: "apply" } },
    want: ["user-data", "apply"],
  },
  {
    when: "another stick in the pinned slot, where sticks need a signature",
    digest: "other",
    settings: { policy: { removableMedia: "require-signature" } },
    want: ["user-data", "require-signature"],
  },
  {
    when: "another stick in the pinned slot, where changes are stricter than sticks",
    digest: "other",
    settings: { policy: { removableMedia: "apply", changes: "hold" } },
    want: ["user-data", "hold"],
  },
  {
    when: "a disk that cannot be removed has nothing to do with sticks",
    instance: { datasource: { ...instance.datasource, removable: false } },
    digest: "other",
    settings: { policy: { removableMedia: "require-signature" } },
    want: ["user-data", "apply"],
  },
  {
    when: "the first document said hold",
    pinned: { ...pinned, changes: "hold" },
    digest: "other",
    want: ["user-data", "hold"],
  },
  {
    when: "the settings overrule the first document",
    pinned: { ...pinned, changes: "apply" },
    digest: "other",
    settings: { policy: { changes: "hold" } },
    want: ["user-data", "hold"],
  },
  {
    when: "the instance-id changed",
    instance: { instanceId: "i-2" },
    digest: "other",
    want: ["instance-id", "apply"],
  },
  {
    when: "another disk is there",
    instance: { datasource: otherDisk },
    want: ["removable-media", "hold"],
  },
  {
    when: "another disk is there, and the settings take it",
    instance: { datasource: otherDisk },
    settings: { policy: { removableMedia: "apply" } },
    want: ["removable-media", "apply"],
  },
  {
    when: "another disk is there on an enrolled node",
    instance: { datasource: otherDisk },
    enrolled: true,
    want: ["removable-media", "require-signature"],
  },
  {
    when: "another cloud is there",
    instance: { datasource: otherCloud },
    want: ["datasource", "hold"],
  },
  {
    when: "the policy for changes says nothing of other clouds",
    instance: { datasource: otherCloud },
    settings: { policy: { changes: "apply" } },
    want: ["datasource", "hold"],
  },
];

for (const each of cases) {
  t.test(`${each.when}: ${each.want.join(", ")}`, async (t) => {
    const { change, answer, why } = decide({
      pinned: each.pinned === null ? undefined : (each.pinned ?? pinned),
      instance: { ...instance, ...each.instance },
      inputsDigest: each.digest ?? "same",
      settings: each.settings ?? {},
      enrolled: each.enrolled ?? false,
      ...{ signature: undefined, unsigned: { rights: null, place: null } },
    });
    t.strictSame([change, answer], each.want);
    t.not(why, "");
  });
}
