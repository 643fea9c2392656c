/** For tests: what every cloud has to stand, against a real server. */
import type { Test } from "tap";
import { type Finding, hasErrors } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { resolveSpec } from "../../resolve-spec.ts";
import type { Cloud, CloudMachine } from "../cloud.ts";
import { readCloud } from "../cloud-content.ts";
import type { DatasourceContent } from "../datasource.ts";
import type { Identity } from "../identity.ts";
import { crawlCloud } from "../metadata/crawl.ts";
import { openExchange } from "../metadata/exchange.ts";
import {
  type FakeAnswer,
  type FakeServiceOptions,
  fakeService,
  first,
} from "../metadata/fake-service.ts";
import type { Tokens } from "../metadata/service.ts";

/** What a fault is to match. */
interface Matched {
  readonly code: string;
  readonly message?: RegExp;
}

/** Answers by path, by port. */
export type FakePorts = Readonly<Record<number, Readonly<Record<string, FakeAnswer>>>>;

/** A cloud, machines that are on it, and what its service says. */
export interface CloudCase {
  readonly cloud: Cloud;
  /** What the firmware of its machines says. */
  readonly on: readonly Partial<Identity>[];
  /** The same of machines that look like it and are not; one that says nothing is among them anyway. */
  readonly off?: readonly Partial<Identity>[];
  readonly answers: Readonly<Record<string, FakeAnswer>>;
  readonly options?: FakeServiceOptions;
  /** What is known of the machine that reads. */
  readonly known?: Known;
  /** What is answered at other ports of the same address. */
  readonly ports?: FakePorts;
  /** What the instance is to match. */
  readonly expected: object;
  /** The user-data that comes of it. */
  readonly userData: string | undefined;
  /** Answers that cannot be meant, by path, with the fault that names them. */
  readonly malformed: Readonly<
    Record<string, { readonly answer: FakeAnswer; readonly fault: Matched }>
  >;
}

/** The table of tests of one cloud: absent, malformed, 503 then right, right. */
export function tryCloud(t: Test, tried: CloudCase): void {
  const { cloud, on, off = [], answers, options, ports = {}, known } = tried;
  const { expected, userData, malformed } = tried;
  t.test(`${cloud.name}: told by the firmware, and by nothing else`, async (t) => {
    for (const some of on) t.type(cloud.identify(identityOf(some)), "string", JSON.stringify(some));
    for (const some of [{}, ...off])
      t.equal(cloud.identify(identityOf(some)), undefined, JSON.stringify(some));
  });

  t.test(`${cloud.name}: what it says`, async (t) => {
    const service = await fakeService(t, answers, options);
    const open = await openPorts(t, ports);
    const { instance, secrets, findings } = await readFrom(cloud, service, { open, known });
    t.match(instance, {
      datasource: { name: cloud.name, place: service.url },
      ...(expected as object),
    });
    const given = secrets.get("user-data")?.reveal();
    t.equal(given && Buffer.from(given).toString(), userData);
    t.same(findings, []);
  });

  t.test(`${cloud.name}: a service that is busy at first is asked again`, async (t) => {
    const busy = Object.entries(answers).map(([path, answer]) => [
      path,
      first(1, { status: 503, headers: { "retry-after": "0" } }, answer),
    ]);
    const service = await fakeService(t, Object.fromEntries(busy), options);
    const { instance, attempts = [] } = await readFrom(cloud, service, {
      ...{ budgetMs: 20_000, open: await openPorts(t, ports), known },
    });
    t.match(instance, expected);
    t.ok(
      attempts.some(({ status }) => status === 503),
      "and that is told",
    );
  });

  for (const [path, { answer, fault }] of Object.entries(malformed)) {
    t.test(`${cloud.name}: malformed: ${path}`, async (t) => {
      const service = await fakeService(t, { ...answers, [path]: answer }, options);
      const open = await openPorts(t, ports);
      await t.rejects(readFrom(cloud, service, { open, known }), fault);
    });
  }

  t.test(`${cloud.name}: somebody else who answers is not believed`, async (t) => {
    for (const other of [
      { status: 302, headers: { location: "http://192.0.2.1/login" } },
      { status: 200, body: "<!DOCTYPE html><html>Please log in</html>" },
    ]) {
      const service = await fakeService(t, {}, { guard: () => other });
      await t.rejects(readFrom(cloud, service), { code: "datasource/unreachable" });
    }
  });
}

/** A machine of which nothing is known but this. */
export function machineOf({ identity = {}, ...known }: Known = {}): CloudMachine {
  const nothing = { interfaces: new Map(), defaultUser: "nixos", now: () => 0 };
  return { ...nothing, ...known, identity: identityOf(identity) };
}

/** What is known of a machine. */
export type Known = Partial<Omit<CloudMachine, "identity">> & {
  readonly identity?: Partial<Identity>;
};

/** A machine whose firmware says nothing but this. */
export function identityOf(some: Partial<Identity>): Identity {
  const nothing = {
    ...{ sysVendor: "", productName: "", productSerial: "", productUuid: "" },
    ...{
      chassisAssetTag: "",
      boardAssetTag: "",
      biosVersion: "",
      hypervisorUuid: "",
      hypervisorVersion: "",
      kernelArguments: [],
      kernelVersion: "",
      markFiles: [],
      markSockets: [],
      virtioPorts: [],
      initProductName: "",
    },
  };
  return { ...nothing, ...some };
}

/** What a cloud is read with. */
interface ReadFromOptions {
  readonly budgetMs?: number;
  /** Names of interfaces by their MAC addresses. */
  readonly interfaces?: ReadonlyMap<string, string>;
  /** What else is known of the machine that reads. */
  readonly known?: Known | undefined;
  readonly tokens?: Tokens;
  /** Who answers beside the service, and is asked before it. */
  readonly beside?: readonly { readonly url: string }[];
  /** How long one that is none of it is asked again; not at all when absent. */
  readonly patienceMs?: number;
  /** Of {@link openPorts}. */
  readonly open?: typeof openExchange;
}

/** Other ports of a service, each of which is a server of its own. */
export async function openPorts(t: Test, ports: FakePorts): Promise<typeof openExchange> {
  const urls = new Map<number, string>();
  for (const [port, answers] of Object.entries(ports))
    urls.set(Number(port), (await fakeService(t, answers)).url);
  return (candidate, context) => {
    const url = urls.get(candidate.port);
    const there = url === undefined ? {} : { url, port: Number(new URL(url).port) };
    return openExchange({ ...candidate, ...there }, context);
  };
}

/** Everything that a cloud says at an address, as a boot reads it. */
export async function readFrom(
  cloud: Cloud,
  { url }: { readonly url: string },
  options: ReadFromOptions = {},
): Promise<DatasourceContent> {
  const { budgetMs = 10_000, interfaces, known = {}, tokens, open = openExchange } = options;
  const { beside = [], patienceMs = 0 } = options;
  const machine = machineOf(interfaces === undefined ? known : { ...known, interfaces });
  const expected = cloud.expected?.(machine.identity);
  const job = {
    ...{ addresses: [...beside.map((each) => each.url), url], budgetMs },
    ...(tokens === undefined ? {} : { tokens }),
    ...(expected === undefined ? {} : { expected }),
  };
  const report = await crawlCloud(cloud, job, undefined, { open, patienceMs, lookAgainMs: 50 });
  const detection = { place: "", identity: cloud.name, removable: false, evidence: [] };
  return readCloud(cloud, detection, report, machine);
}

/** The network of the spec that comes of what a cloud says, without user-data. */
export async function networkOf(
  cloud: Cloud,
  service: { readonly url: string },
  known: Known = {},
): Promise<{
  readonly network: Spec["network"];
  readonly resolver: Spec["resolver"];
  readonly findings: readonly Finding[];
}> {
  const content = await readFrom(cloud, service, { known });
  const secrets = new Map([...content.secrets].filter(([name]) => name === "network-config"));
  const { spec, findings } = await resolveSpec(
    { ...content, secrets },
    {},
    {
      fetchSources: async () => new Map(),
      openEnvelope: async () => Promise.reject(new Error("nothing is sealed")),
    },
  );
  // Held against the options of NixOS, and rendered without anything to be said of it.
  const rendered = hasErrors(findings) ? [] : tryRender(spec).findings;
  return { network: spec.network, resolver: spec.resolver, findings: [...findings, ...rendered] };
}
