import { int, list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";

/** Where a cloud describes its machines to them, and what programs may need of it. */
export interface MetadataPlace {
  /** Name of its datasource. */
  readonly cloud: string;
  /** Without brackets and scope; none where it has no address that is always its own. */
  readonly addresses: readonly string[];
  /** Of TCP. */
  readonly ports: readonly number[];
  /**
   * What programs of the machine take from there to act in its name, as a part of a sentence (`a role
   * of IAM`); `null` where there is nothing.
   */
  readonly identity: string | null;
}

const path = ["metadataService", "closed"];
const option = ["services", "firstlight", "metadataService"];

/**
 * The metadata service, closed to all but firstlight: what is rendered names addresses and ports, and
 * nixos/module.nix makes the rules of them. Nothing where `place` is not known.
 */
export function renderMetadataService(
  concern: Concern,
  place: MetadataPlace | null | undefined,
): readonly Assignment[] {
  const { metadataService } = concern.spec;
  const wish = metadataService?.closed;
  if (wish === false || place === undefined) return [];
  if (place === null || place.addresses.length === 0) {
    if (wish === true) tellOfNoAddress(concern, place);
    return [];
  }
  if (wish === undefined && place.identity !== null) {
    tellOfIdentity(concern, place.cloud, place.identity);
    return [];
  }
  const from = wish === undefined ? [] : [path];
  const set = (name: string, value: Assignment["value"]) =>
    assign([...option, name], winning(concern.base, value), ...from);
  return [
    set("addresses", list(place.addresses.map(str))),
    set("ports", list(place.ports.map(int))),
  ];
}

function tellOfNoAddress(concern: Concern, place: MetadataPlace | null): void {
  const message =
    place === null
      ? "no metadata service says anything on this machine, so that none is closed"
      : `the metadata service of ${place.cloud} has no address that is always its own, and is not closed`;
  const level = place === null ? "note" : "warning";
  const hint = "close it with a firewall rule under `firstlight: options`, or drop the key";
  addFinding(concern, path, level, "render/metadata-not-closed", message, hint);
}

function tellOfIdentity(concern: Concern, cloud: string, identity: string): void {
  const message = `the metadata service of ${cloud} stays open to every program: the instance has ${identity}`;
  const hint =
    "set `metadataService.closed` to true where no program needs it, or to false where one does";
  addFinding(concern, path, "note", "render/metadata-open", message, hint);
}
