import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { MetadataPlace } from "./metadata-service.ts";
import { fileOf, tryRender } from "./try-render.ts";

const place: MetadataPlace = {
  ...{ cloud: "Ec2", identity: null },
  ...{ addresses: ["169.254.169.254", "fd00:ec2::254"], ports: [80] },
};
const withRole = { ...place, identity: "a role of IAM" };
const elsewhere = { ...place, addresses: [], ports: [] };

interface Case {
  readonly name: string;
  readonly closed?: boolean;
  readonly place: MetadataPlace | null | undefined;
  readonly isClosed: boolean;
  /** Level and code of what is told. */
  readonly told?: string;
}

const cases: readonly Case[] = [
  { name: "nothing is said", place, isClosed: true },
  { name: "it is to be closed", closed: true, place, isClosed: true },
  { name: "it is to be open", closed: false, place, isClosed: false },
  {
    name: "the instance has an identity",
    place: withRole,
    isClosed: false,
    told: "note render/metadata-open",
  },
  { name: "the same, to be open", closed: false, place: withRole, isClosed: false },
  { name: "the same, to be closed", closed: true, place: withRole, isClosed: true },
  { name: "it has no address of its own", place: elsewhere, isClosed: false },
  {
    name: "the same, to be closed",
    closed: true,
    place: elsewhere,
    isClosed: false,
    told: "warning render/metadata-not-closed",
  },
  { name: "there is none", place: null, isClosed: false },
  {
    name: "there is none to be closed",
    closed: true,
    place: null,
    isClosed: false,
    told: "note render/metadata-not-closed",
  },
  { name: "nobody knows whether there is one", closed: true, place: undefined, isClosed: false },
];

for (const { name, closed, place: metadataService, isClosed, told } of cases) {
  t.test(`${name}: ${isClosed ? "closed" : "open"}`, async (t) => {
    const spec: Omit<Spec, "version"> = closed === undefined ? {} : { metadataService: { closed } };
    const known = metadataService === undefined ? {} : { metadataService };
    const result = tryRender(spec, known);
    const text = fileOf(result, "firstlight/instance.nix");
    t.equal(/metadataService/.test(text), isClosed, text);
    const findings = result.findings.map(({ level, code }) => `${level} ${code}`);
    t.same(findings, told === undefined ? [] : [told]);
  });
}
