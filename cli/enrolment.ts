import { type EnrolOutcome, enrol } from "#agent/enroll/enrol.ts";
import { enrolLock } from "#agent/enroll/places.ts";
import { enrolServer } from "#agent/enroll/server.ts";
import { openCredentialStore } from "#agent/secrets/credential-store.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { hostProcesses, openLock } from "#provisioner/system/lock.ts";
import type { Invocation } from "./command.ts";
import { nodeCourier } from "./courier.ts";
import { metadataGroup } from "./metadata-group.ts";
import { thisProgram } from "./this-program.ts";

/**
 * One try to enrol this machine, or to renew what it has when it is time (or now: `renews`), as its settings say. Throws
 * `enroll/settings-invalid` where they say nothing of it; the try throws `system/locked` where another process is at it.
 */
export async function openEnrolAttempt(
  { io, log, signal }: Pick<Invocation, "io" | "log" | "signal">,
  settings: Settings,
  { renews = false }: { readonly renews?: boolean } = {},
): Promise<() => Promise<EnrolOutcome>> {
  const { url, ca } = enrolPlace(io, settings);
  const courier = nodeCourier(io);
  const metadata = metadataCourier(io);
  const server = enrolServer({ url, ca, courier, signal });
  const store = await openCredentialStore(io);
  return async () => {
    const lock = openLock(io, enrolLock, hostProcesses());
    lock.acquire();
    try {
      return await enrol({ io, log, settings, server, ca, metadata, store, renews, signal });
    } finally {
      lock.release();
    }
  };
}

function enrolPlace(
  { files }: Io,
  { fleet }: Settings,
): { readonly url: string; readonly ca: string } {
  const enroll = fleet?.enroll;
  if (enroll === undefined)
    throw new Fault("enroll/settings-invalid", "the settings name no `fleet.enroll`", {
      hint: "docs/enrolment.md says what belongs there",
    });
  const ca = files.readText(enroll.caFile, { maxBytes: 256 * 1024 });
  if (ca?.includes("-----BEGIN CERTIFICATE-----")) return { url: enroll.url, ca };
  const what = ca === undefined ? "does not exist" : "holds no certificate in PEM";
  throw new Fault("enroll/settings-invalid", `fleet.enroll.caFile: ${enroll.caFile} ${what}`);
}

/** As root under systemd a child without privileges, of the group that the metadata service is open to. */
function metadataCourier(io: Io): Courier {
  let opened: Promise<Courier> | undefined;
  return {
    async open(request) {
      opened ??= openMetadata(io);
      return (await opened).open(request);
    },
  };
}

async function openMetadata(io: Io): Promise<Courier> {
  const isRoot = io.files.root === "/" && process.geteuid?.() === 0;
  const hasSystemd = io.files.stat("/run/systemd/system")?.kind === "directory";
  if (!isRoot || !hasSystemd)
    return (await import("#provisioner/system/fetch/http-courier.ts")).httpCourier;
  const { apart, courierChild } = await import("#provisioner/system/sides/courier-child.ts");
  return courierChild(apart(thisProgram("courier"), { group: metadataGroup(io) }));
}
