import t from "tap";
import type { Settings } from "#generated/agent/settings.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import { content } from "./fake-boot.ts";
import type { PinnedInstance, Unsigned } from "./pinned-instance.ts";
import { decide } from "./policy.ts";

const { instance } = content("");
const pinned: PinnedInstance = {
  ...{
    v: 1,
    datasource: "NoCloud",
    identity: "seed:/x",
    instanceId: "i-1",
    inputsDigest: "before",
  },
  ...{ changes: null, at: "", unsigned: { rights: "rights", place: "place" } },
};
const signature: Signature = { id: "new", serial: 8, instanceId: null, signer: "ops" };
const last = { id: "old", serial: 7 };

interface Case {
  readonly when: string;
  readonly pinned?: Partial<PinnedInstance>;
  readonly signature?: Partial<Signature> | null;
  readonly unsigned?: Partial<Unsigned>;
  readonly instanceId?: string;
  readonly datasource?: Partial<typeof instance.datasource>;
  readonly policy?: Settings["policy"];
  readonly want: readonly [string, RegExp];
}

const cases: readonly Case[] = [
  {
    when: "it is signed with a serial",
    want: ["apply", /^what NoCloud says has changed; signed by ops$/],
  },
  {
    when: "its serial is above the last one",
    pinned: { signed: last },
    want: ["apply", /signed by/],
  },
  {
    when: "nobody signed it",
    signature: null,
    want: ["require-signature", /changed; nobody signed it whose signature counts$/],
  },
  {
    when: "it has no serial",
    signature: { serial: null },
    want: ["require-signature", /it is signed without a serial$/],
  },
  {
    when: "its serial is that of another one",
    pinned: { signed: { ...last, serial: 8 } },
    want: ["require-signature", /with the serial 8, and expected is one above 8$/],
  },
  {
    when: "it is older",
    pinned: { signed: { ...last, serial: 9 } },
    want: ["require-signature", /with the serial 8, and expected is one above 9$/],
  },
  {
    when: "it is older, and the policy takes every change",
    pinned: { signed: { ...last, serial: 9 } },
    policy: { changes: "apply" },
    want: ["require-signature", /expected is one above 9$/],
  },
  {
    when: "it has no serial any more, and the policy takes every change",
    pinned: { signed: last },
    signature: { serial: null },
    policy: { changes: "apply" },
    want: ["require-signature", /without a serial, and the last one was signed with 7$/],
  },
  {
    when: "it has no serial, and the policy takes every change",
    signature: { serial: null },
    policy: { changes: "apply" },
    want: ["apply", /has changed$/],
  },
  {
    when: "it is the same, and the policy takes every change",
    pinned: { signed: { id: "new", serial: 8 } },
    policy: { changes: "apply" },
    want: ["apply", /has changed$/],
  },
  {
    when: "and the signed text is the same",
    pinned: { signed: { id: "new", serial: 8 } },
    unsigned: { rights: null },
    want: ["require-signature", /something beside it has changed$/],
  },
  {
    when: "keys that nobody signed change with it",
    unsigned: { rights: "other" },
    want: ["require-signature", /keys, secrets or files .* are not what they were$/],
  },
  {
    when: "a network that nobody signed changes with it",
    unsigned: { place: "other" },
    want: ["require-signature", /the name or network .* is not what it was$/],
  },
  {
    when: "what nobody signed is gone",
    unsigned: { rights: null, place: null },
    want: ["apply", /signed by/],
  },
  {
    when: "the record does not know what nobody signed",
    pinned: { unsigned: { rights: null, place: null } },
    want: ["require-signature", /keys, secrets or files/],
  },
  {
    when: "the instance-id changes",
    instanceId: "i-2",
    want: ["require-signature", /the signature does not name the instance-id$/],
  },
  {
    when: "the instance-id changes to the one that it names",
    instanceId: "i-2",
    signature: { instanceId: "i-2" },
    want: ["apply", /from i-1 to i-2; signed by ops$/],
  },
  {
    when: "the instance-id changes to the one that it names, with another network",
    instanceId: "i-2",
    signature: { instanceId: "i-2" },
    unsigned: { place: "other" },
    want: ["apply", /signed by ops$/],
  },
  {
    when: "the instance-id changes to the one that it names, with other keys",
    instanceId: "i-2",
    signature: { instanceId: "i-2" },
    unsigned: { rights: "other" },
    want: ["require-signature", /keys, secrets or files/],
  },
  {
    when: "a stick brings it, where sticks need a signature",
    datasource: { identity: "usb:1", removable: true },
    policy: { removableMedia: "require-signature" },
    unsigned: { rights: null, place: null },
    want: ["apply", /signed by ops$/],
  },
  {
    when: "a stick brings it, where sticks wait for a person",
    datasource: { identity: "usb:1", removable: true },
    policy: { removableMedia: "hold" },
    want: ["hold", /usb:1\)$/],
  },
  {
    when: "the policy waits for a person",
    policy: { changes: "hold" },
    want: ["hold", /changed$/],
  },
];

for (const each of cases)
  t.test(`changed user-data, ${each.when}: ${each.want[0]}`, async (t) => {
    const { answer, why } = decide({
      pinned: { ...pinned, ...each.pinned },
      instance: {
        ...instance,
        instanceId: each.instanceId ?? "i-1",
        datasource: { ...instance.datasource, ...each.datasource },
      },
      inputsDigest: "after",
      settings: { policy: each.policy ?? { changes: "require-signature" } },
      enrolled: false,
      signature: each.signature === null ? undefined : { ...signature, ...each.signature },
      unsigned: { rights: "rights", place: "place", ...each.unsigned },
    });
    t.equal(answer, each.want[0]);
    t.match(why, each.want[1]);
  });

t.test("a first boot and one that changes nothing ask for no signature", async (t) => {
  const given = { instance, settings: {}, enrolled: true, signature: undefined };
  const unsigned = { rights: null, place: null };
  for (const before of [undefined, pinned])
    t.equal(decide({ ...given, unsigned, pinned: before, inputsDigest: "before" }).answer, "apply");
});
