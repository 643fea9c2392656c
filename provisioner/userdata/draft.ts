import { type Moves, movedPath } from "#core/list-moves.ts";
import { Secret, type SecretBag, type SecretRef } from "#core/secret.ts";
import type { Spec, User } from "#generated/provisioner/spec/v1.ts";
import type { Input, PathPart } from "./input.ts";
import { getOwn, setOwn } from "./own-key.ts";
import type { Origin } from "./translation.ts";

/** Names that a secret may have, as the schema of the spec says them. */
export const secretName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,149}$/;

/** A secret that a document has named, and what becomes of another one of that name. */
export interface NamedSecret extends SecretRef {
  readonly other: "none" | "counts" | "refused";
}

/** A spec being written, with the secrets beside it and the place each value came from. */
export class SpecDraft {
  readonly spec: Spec = { version: 1 };
  readonly secrets: Map<string, Secret<Uint8Array>>;
  #origins = new Map<string, Origin>();
  /** Account of the datasource's keys, where the document has one. */
  defaultUser: string | undefined;
  /** How many passwords in plain text were hashed. */
  plainPasswords = 0;
  #keyOrigins = new Map<string, Origin>();
  readonly #namesTaken = new Map<string, number>();
  readonly #reserved: Set<string>;
  readonly #given: SecretBag;
  readonly isSigned: (document: string) => boolean;
  readonly #vendorDocuments: readonly string[];
  /** Names of secrets that a signed text defines. */
  readonly #signedNames = new Set<string>();

  /**
   * `given` are secrets beside the documents, by the names that they refer to. Of a document it is asked by its
   * name whether it is signed. What `vendorDocuments` say counts less than what others do.
   */
  constructor(
    given: SecretBag = new Map(),
    isSigned: (document: string) => boolean = () => false,
    vendorDocuments: readonly string[] = [],
  ) {
    this.isSigned = isSigned;
    this.#vendorDocuments = vendorDocuments;
    this.#given = given;
    this.secrets = new Map(given);
    this.#reserved = new Set(given.keys());
  }

  /** Those whose bytes are known here: away from the node a secret beside the documents is a name alone. */
  readableSecrets(): SecretBag {
    const isNameOnly = (name: string, secret: Secret<Uint8Array>) =>
      this.#given.has(name) && secret.reveal().length === 0;
    return new Map([...this.secrets].filter((entry) => !isNameOnly(...entry)));
  }

  /** Keeps names that a document gives to its secrets from those that are made. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name);
  }

  /** Notes where the value at a path of the spec, and its key, came from. */
  origin(path: readonly PathPart[], input: Input): void {
    const name = path.join(".");
    this.#origins.set(name, input.origin());
    this.#keyOrigins.set(name, input.origin("key"));
  }

  /** Notes the same of a value that stands in no value of a document. */
  place(path: readonly PathPart[], origin: Origin): void {
    this.#origins.set(path.join("."), origin);
  }

  /** Where the value at a path of the spec, or its key, came from. */
  originOf(path: readonly PathPart[], target: "key" | "value"): Origin | undefined {
    const name = path.join(".");
    return (target === "key" ? this.#keyOrigins.get(name) : undefined) ?? this.#origins.get(name);
  }

  /** Whether a value of a document is the cloud's word. */
  isVendors(input: Input): boolean {
    return this.#vendorDocuments.includes(input.origin().document);
  }

  /** Paths at which, or below which, the spec has something by now that the cloud has said, and nothing else. */
  pathsOfVendor(): ReadonlySet<string> {
    if (this.#vendorDocuments.length === 0) return new Set();
    const said = { vendor: new Set<string>(), others: new Set<string>() };
    for (const [path, { document }] of this.#origins) {
      const parts = path.split(".");
      const paths = said[this.#vendorDocuments.includes(document) ? "vendor" : "others"];
      for (const end of parts.keys()) paths.add(parts.slice(0, end + 1).join("."));
    }
    return new Set([...said.vendor].filter((path) => !said.others.has(path)));
  }

  /** Origin by path in the spec. */
  get origins(): ReadonlyMap<string, Origin> {
    return this.#origins;
  }

  /** Follows items of lists to where they stand since others were taken out. */
  follow(moves: Moves): void {
    this.#origins = followed(this.#origins, moves);
    this.#keyOrigins = followed(this.#keyOrigins, moves);
  }

  /** Takes a secret out of the document; the name is made unique and fit for a file. */
  secret(wantedName: string, value: string | Uint8Array): SecretRef {
    const clean = wantedName.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
    const base = clean.slice(0, 150) || "secret";
    let number = this.#namesTaken.get(base) ?? 0;
    let name: string;
    do {
      number += 1;
      name = number === 1 ? base : `${base}_${number}`;
    } while (this.secrets.has(name) || this.#reserved.has(name));
    this.#namesTaken.set(base, number);
    this.#keep(name, value);
    return { secretRef: name };
  }

  /**
   * Takes a secret that the document itself has named; one under a name that no secret may have is kept
   * under another. The first of a name counts, and one beside the document goes before it; one that a
   * signed document names goes before all that nobody signed.
   */
  namedSecret(name: string, value: string | Uint8Array, document: string): NamedSecret {
    if (!secretName.test(name)) return { ...this.secret(name, value), other: "none" };
    const isKnown = this.secrets.has(name);
    const isFirst = this.isSigned(document) && !this.#signedNames.has(name);
    if (isFirst) this.#signedNames.add(name);
    if (isFirst || !isKnown) this.#keep(name, value);
    const other = isKnown ? (isFirst ? "refused" : "counts") : "none";
    return { secretRef: name, other };
  }

  #keep(name: string, value: string | Uint8Array): void {
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    this.secrets.set(name, new Secret(bytes));
  }

  /** The account of this name, made when it is not there. */
  user(name: string): User {
    this.spec.users ??= {};
    const known = getOwn(this.spec.users, name);
    if (known !== undefined) return known;
    const user: User = {};
    setOwn(this.spec.users, name, user);
    return user;
  }
}

/** What has moved keeps the path that it had in its document. */
function followed(origins: ReadonlyMap<string, Origin>, moves: Moves): Map<string, Origin> {
  const all = new Map<string, Origin>();
  for (const [path, origin] of origins) {
    const now = movedPath(path, moves);
    if (now !== undefined) all.set(now, now === path ? origin : { path, ...origin });
  }
  return all;
}
