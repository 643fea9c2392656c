import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { EnrollSettings } from "#generated/fleet/enroll/enroll-settings.ts";
import { validate } from "#generated/fleet/enroll/enroll-settings.validate.js";
import { keyPem, newKey, openAuthority } from "./authority.ts";
import type { EnrolDeps } from "./enrol.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { Ways } from "./ways/ways.ts";

const maxFileBytes = 256 * 1024;
const defaultRenewExpiredMs = 90 * 24 * 3_600_000;
const defaultFreshnessMs = 1_800_000;
const googleKeys = "https://www.googleapis.com/oauth2/v3/certs";
const googleIssuer = "https://accounts.google.com";

/** Files in the directory of a fleet, beside those of its authority. */
export function enrolmentFiles(directory: string) {
  return {
    settings: `${directory}/enroll.json`,
    tokenKey: `${directory}/token.key`,
    database: `${directory}/enroll.db`,
    serverKey: `${directory}/server.key`,
    serverCertificate: `${directory}/server.pem`,
  };
}

/** The settings of the enrolment server. Throws `enroll/settings-invalid`. */
export function readEnrolSettings({ files }: Io, directory: string): EnrollSettings {
  const { settings: file } = enrolmentFiles(directory);
  const text = files.readText(file, { maxBytes: maxFileBytes });
  if (text === undefined)
    throw new Fault("enroll/settings-invalid", `${file}: there is no such file`, {
      hint: "`firstlight fleet enroll init` writes one",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault("enroll/settings-invalid", `${file}: expected JSON`, { cause });
  }
  if (validate(value)) return value as EnrollSettings;
  const [first] = validate.errors ?? [];
  const added = first?.params["additionalProperty"];
  const place = `${first?.instancePath ?? ""}${typeof added === "string" ? `/${added}` : ""}`;
  throw new Fault(
    "enroll/settings-invalid",
    `${file}: ${place || "/"}: ${first?.message ?? "does not fit"}`,
  );
}

/** The key that the fleet's tokens are signed by, made where there is none. */
export function openTokenKey({ files }: Io, directory: string): KeyObject {
  const { tokenKey } = enrolmentFiles(directory);
  files.create(tokenKey, keyPem(newKey("ed25519")), { mode: 0o600 });
  return readPem(files, tokenKey, (pem) => createPrivateKey(pem));
}

/** Everything that answering needs, opened. The store is the caller's to close. */
export function openEnrolment(
  io: Io,
  directory: string,
): EnrolDeps & { readonly settings: EnrollSettings } {
  const settings = readEnrolSettings(io, directory);
  const authority = openAuthority(io, directory);
  const { database } = enrolmentFiles(directory);
  io.files.create(database, "", { mode: 0o600 }); // SQLite gives its journals the same mode
  return {
    settings,
    authority,
    store: openSqliteStore(io.files.hostPath(database)),
    ways: openWays(io, directory, settings),
    certificateDays: settings.certificateDays ?? 30,
    renewExpiredMs: durationMs(settings.renewExpired, defaultRenewExpiredMs),
    now: () => io.clock.now(),
  };
}

function openWays(io: Io, directory: string, { url, ways }: EnrollSettings): Ways {
  const { token, code, ec2, gce, azure } = ways;
  const { files } = io;
  const certificate = (file: string) => readPem(files, file, (pem) => new X509Certificate(pem));
  return {
    ...(token && { token: { key: createPublicKey(openTokenKey(io, directory)) } }),
    ...(code && { code }),
    ...(ec2 && {
      ec2: {
        ...{ accounts: ec2.accounts, regions: ec2.regions },
        certificates: new Map(
          Object.entries(ec2.certificates).map(([region, file]) => [region, certificate(file)]),
        ),
        freshnessMs: durationMs(ec2.freshness, defaultFreshnessMs),
      },
    }),
    ...(gce && {
      gce: {
        ...{ projects: gce.projects, issuer: gce.issuer ?? googleIssuer, url },
        keys: openKeys(files, gce.keys ?? googleKeys),
      },
    }),
    ...(azure && {
      azure: {
        subscriptions: azure.subscriptions,
        authorities: azure.authorities.flatMap((file) => readPem(files, file, allCertificates)),
        hosts: azure.hosts ?? ["metadata.azure.com"],
      },
    }),
  };
}

function openKeys(files: Io["files"], place: string): JWTVerifyGetKey {
  if (!place.startsWith("/"))
    return createRemoteJWKSet(new URL(place), { timeoutDuration: 10_000 });
  return readPem(files, place, (text) => createLocalJWKSet(JSON.parse(text) as JSONWebKeySet));
}

function allCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error("expected certificates in PEM");
  return blocks.map((block) => new X509Certificate(block));
}

function readPem<T>(files: Io["files"], file: string, read: (text: string) => T): T {
  const text = files.readText(file, { maxBytes: maxFileBytes });
  if (text === undefined)
    throw new Fault("enroll/settings-invalid", `${file}: there is no such file`);
  try {
    return read(text);
  } catch (cause) {
    throw new Fault("enroll/settings-invalid", `${file}: cannot be read`, { cause });
  }
}
