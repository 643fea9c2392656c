import { createPrivateKey, createPublicKey } from "node:crypto";
import { type EnrolDeps, type EnrolOutcome, enrol } from "#agent/enroll/enrol.ts";
import { readEnrolState } from "#agent/enroll/enrol-state.ts";
import { readMachine } from "#agent/enroll/machine.ts";
import { identityFile } from "#agent/enroll/places.ts";
import { enrolServer } from "#agent/enroll/server.ts";
import { type FakeClock, fakeClock, fakeIo } from "#core/fake-io.ts";
import type { Io } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { keyPem, makeAuthority, newKey, openAuthority } from "#fleet/enroll/authority.ts";
import { serveEnrolment } from "#fleet/enroll/https-server.ts";
import { openEnrolment, openTokenKey } from "#fleet/enroll/open-enrolment.ts";
import { makeToken, type TokenOrder } from "#fleet/enroll/ways/token.ts";
import type { EnrollSettings } from "#generated/fleet/enroll/enroll-settings.ts";
import type { Courier, CourierRequest } from "#provisioner/system/fetch/courier.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { freePort, temporaryDirectory } from "./brokers.ts";

/** What a test gives. */
interface Scope {
  teardown(end: () => void | Promise<void>): void;
}

/** Directory of the fleet on the server's machine. */
export const fleetDirectory = "/var/lib/firstlight-fleet";

/** A real enrolment server on loopback, with a clock of its own. */
export interface EnrolWorld {
  readonly url: string;
  readonly ca: string;
  readonly clock: FakeClock;
  readonly io: Io;
  readonly deps: ReturnType<typeof openEnrolment>;
  /** Makes a token, on the server's list unless that is not wanted. */
  token(order: Partial<TokenOrder>, listed?: boolean): Promise<string>;
  /** A machine that was never enrolled. */
  machine(options?: MachineOptions): EnrolMachine;
}

/** What a machine is. */
export interface MachineOptions {
  readonly via?: readonly ("token" | "ec2" | "gce" | "azure" | "code")[];
  readonly instanceId?: string;
  readonly serial?: string;
  readonly bootId?: string;
  readonly token?: string;
  readonly key?: "ed25519" | "p256";
  readonly datasource?: string;
  /** Address of its metadata service. */
  readonly metadata?: string;
  /** Authority that it pins; the server's when absent. */
  readonly ca?: string;
  readonly url?: string;
  /** Directory of the machine: a disk that is there already. */
  readonly root?: string;
  readonly onEffect?: (number: number, name: string) => void;
}

/** A machine that enrols. */
export interface EnrolMachine {
  readonly root: string;
  readonly io: Io & { readonly effects: readonly string[] };
  /** Breaks requests; by default none is. */
  fault: (request: CourierRequest) => "before" | "after" | undefined;
  /** Every body that was sent to the server. */
  readonly sent: { readonly url: string; readonly body: string }[];
  run(more?: Pick<EnrolDeps, "renews">): Promise<EnrolOutcome>;
  state(): ReturnType<typeof readEnrolState>;
  identity(): string | undefined;
}

/** Starts a server. */
export async function startEnrolment(
  t: Scope,
  ways: EnrollSettings["ways"] = { token: {}, code: {} },
  more: Partial<EnrollSettings> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<EnrolWorld> {
  const clock = fakeClock(Date.now());
  const io: Io = { ...fakeIo(temporaryDirectory(t, "firstlight-enrol-")), clock };
  makeAuthority(io, fleetDirectory, { fleet: "demo", kind: "p256" });
  for (const [name, text] of Object.entries(files)) io.files.write(name, text);
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const settings = { url, ways, ...more };
  io.files.write(`${fleetDirectory}/enroll.json`, JSON.stringify(settings));
  const authority = openAuthority(io, fleetDirectory);
  const deps = openEnrolment(io, fleetDirectory);
  t.teardown(() => deps.store.close());
  const key = newKey("p256");
  const order = { names: ["localhost"], nowMs: Date.now() };
  const { pem } = authority.issueServer({ ...order, publicKey: createPublicKey(key) });
  const pace = { allows: () => true };
  const server = await serveEnrolment(
    { ...deps, log: silentLog, pace },
    { host: "127.0.0.1", port, key: keyPem(key), certificate: pem },
  );
  t.teardown(() => server.close());
  const ca = authority.certificate;
  return {
    ...{ url, ca, clock, io, deps },
    async token(more, listed = true) {
      const order = { fleet: "demo", node: "edge-17", instanceId: "i-0abc1234def567890", ...more };
      const signing = { key: openTokenKey(io, fleetDirectory), nowMs: clock.now() };
      const { token, content } = makeToken(order, signing);
      if (listed) await deps.store.allowToken(content);
      return token;
    },
    machine: (options = {}) => machineOf(t, { clock, url, ca }, options),
  };
}

interface Place {
  readonly clock: FakeClock;
  readonly url: string;
  readonly ca: string;
}

function machineOf(t: Scope, place: Place, options: MachineOptions): EnrolMachine {
  const {
    onEffect,
    root = temporaryDirectory(t, "firstlight-enrol-"),
    ca = place.ca,
    url = place.url,
  } = options;
  const fake = fakeIo(root, {}, onEffect === undefined ? {} : { onEffect });
  const io = { ...fake, clock: place.clock };
  const { via, instanceId = "i-0abc1234def567890", serial = "S1", bootId = "boot-1" } = options;
  const { datasource = "NoCloud", metadata, key } = options;
  const given = fakeIo(root).files; // what was there before counts as no effect
  given.write("/sys/class/dmi/id/product_serial", `${serial}\n`);
  given.write("/proc/sys/kernel/random/boot_id", `${bootId}\n`);
  given.write(
    "/run/firstlight/instance-data.json",
    JSON.stringify({ v1: { instance_id: instanceId }, datasource: { name: datasource } }),
  );
  const tokenFile = "/etc/firstlight/token";
  if (options.token !== undefined) given.write(tokenFile, options.token);
  const sent: { url: string; body: string }[] = [];
  const courier: Courier = {
    async open(request) {
      if (request.url.startsWith(url))
        sent.push({ url: request.url, body: request.send?.body ?? "" });
      const fault = machine.fault(request);
      if (fault === "before") throw new Error("connect ECONNREFUSED");
      const answer = await httpCourier.open(request);
      if (fault === undefined) return answer;
      for await (const _ of answer.body); // the server has answered, and the answer is lost
      throw new Error("read ECONNRESET");
    },
  };
  const deps: EnrolDeps = {
    ...{ io, ca, log: silentLog, metadata: courier },
    settings: {
      fleet: {
        enroll: {
          url,
          caFile: "/etc/ca.pem",
          tokenFile,
          ...(via && { via: [...via] }),
          ...(key && { key }),
        },
      },
      ...(metadata && { metadata: { addresses: { [datasource]: [metadata] } } }),
    } as EnrolDeps["settings"],
    server: enrolServer({ url, ca, courier, signal: new AbortController().signal }),
    store: { protection: async () => ({ encrypted: false, why: "a test" }) },
    signal: new AbortController().signal,
  };
  const machine: EnrolMachine = {
    ...{ root, io, sent },
    fault: () => undefined,
    run: (more = {}) => enrol({ ...deps, ...more }),
    state: () => readEnrolState(io.files),
    identity: () => io.files.readText(identityFile),
  };
  return machine;
}

/** What the server would see of a machine. */
export const marksOf = (machine: EnrolMachine) => readMachine(machine.io.files);

/** The private key in an installed identity. */
export const keyIn = (identity: string | undefined) => createPrivateKey(identity ?? "");
