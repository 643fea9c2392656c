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

t.test(
  "a release that the fleet has signed changes a node, and nothing else with it",
  async (t) => {
    const release = { name: "edge-2", sha256: "2".repeat(64) };
    const before = {
      ...pinned,
      beside: "same",
      release: { name: "edge-1", sha256: "1".repeat(64) },
    };
    const ask = (change: Partial<Parameters<typeof decide>[0]>) =>
      decide({
        ...{
          pinned: before,
          instance,
          inputsDigest: "other",
          enrolled: true,
          beside: "same",
          release,
        },
        ...{
          settings: {},
          signature: undefined,
          unsigned: { rights: null, place: null },
          ...change,
        },
      });
    t.match(ask({}), {
      change: "user-data",
      answer: "apply",
      why: /release edge-2, signed by the fleet/,
    });
    const strict = { policy: { changes: "require-signature", removableMedia: "hold" } } as const;
    t.match(
      ask({ settings: strict }),
      { answer: "apply" },
      "no policy on what a cloud says is asked",
    );
    t.match(ask({ pinned }), { answer: "apply" }, "the first release of a node");
    t.match(ask({ beside: "other" }), {
      answer: "require-signature",
      why: /release edge-2 is signed by the fleet, and something beside it has changed/,
    });
    const same = { ...before, release };
    t.match(ask({ pinned: same, beside: "other" }), {
      answer: "require-signature",
      why: /made from the release edge-2, and something beside it has changed/,
    });
    t.match(ask({ pinned: same, beside: "other", enrolled: false }), { answer: "apply" });
    const clone = { ...instance, instanceId: "i-2" };
    t.match(ask({ instance: clone }), { change: "instance-id", answer: "require-signature" });
    t.match(ask({ instance: { ...instance, datasource: otherCloud } }), {
      ...{ change: "datasource", answer: "require-signature" },
    });
  },
);
