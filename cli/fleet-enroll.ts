import { createPublicKey } from "node:crypto";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { mosquittoAccess } from "#fleet/enroll/access.ts";
import { keyPem, makeAuthority, newKey, openAuthority } from "#fleet/enroll/authority.ts";
import { enrolmentFiles, openEnrolment, openTokenKey } from "#fleet/enroll/open-enrolment.ts";
import { suggestedName } from "#fleet/enroll/prove-claim.ts";
import { revocationList } from "#fleet/enroll/revocation-list.ts";
import { runEnrolment } from "#fleet/enroll/run-enrolment.ts";
import { counts, type EnrolStore, type NodeRecord } from "#fleet/enroll/store.ts";
import { makeToken } from "#fleet/enroll/ways/token.ts";
import { fleetNamePattern, nodeNamePattern } from "#protocol/enroll/limits.ts";
import { nodeKeyKinds } from "#protocol/enroll/node-key.ts";
import { type Invocation, textFlag } from "./command.ts";

const defaultDirectory = "/var/lib/firstlight-fleet";
const yearMs = 365 * 24 * 3_600_000;

/** `firstlight fleet enroll VERB` */
export async function enrollFleet(invocation: Invocation): Promise<number> {
  const [verb = "", ...rest] = invocation.args;
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (run === undefined) {
    const known = Object.keys(verbs).join(", ");
    throw new Fault("cli/usage", `fleet enroll: expected ${known}, got ${JSON.stringify(verb)}`);
  }
  const isNamed = ["approve", "deny", "revoke"].includes(verb);
  if (verb !== "certificate" && rest.length !== (isNamed ? 1 : 0))
    throw new Fault(
      "cli/usage",
      `fleet enroll ${verb}: expected ${isNamed ? "one name" : "no name"}`,
    );
  return run({ ...invocation, args: rest });
}

type Verb = (invocation: Invocation) => Promise<number>;

const verbs: Readonly<Record<string, Verb>> = {
  init,
  serve,
  token,
  approve: (invocation) => answer(invocation, "approved"),
  deny: (invocation) => answer(invocation, "denied"),
  list,
  revoke,
  certificate,
  access,
  crl,
};

const directoryOf = ({ flags }: Invocation) => textFlag(flags, "dir") ?? defaultDirectory;

function required({ flags }: Invocation, name: string): string {
  const value = textFlag(flags, name);
  if (value === undefined) throw new Fault("cli/usage", `fleet enroll: expected --${name}`);
  return value;
}

function requiredName(invocation: Invocation, name: string, pattern: RegExp): string {
  const value = required(invocation, name);
  if (pattern.test(value)) return value;
  throw new Fault(
    "cli/usage",
    `--${name}: expected letters, digits, - and _, got ${JSON.stringify(value)}`,
  );
}

async function init(invocation: Invocation): Promise<number> {
  const { io, out } = invocation;
  const directory = directoryOf(invocation);
  const fleet = requiredName(invocation, "fleet", fleetNamePattern);
  const url = required(invocation, "url");
  if (URL.parse(url)?.protocol !== "https:" || /[\s?#]/.test(url))
    throw new Fault(
      "cli/usage",
      `--url: expected an address with https, got ${JSON.stringify(url)}`,
    );
  const wanted = textFlag(invocation.flags, "key") ?? "p256";
  const kind = nodeKeyKinds.find((each) => each === wanted);
  if (kind === undefined)
    throw new Fault("cli/usage", `--key: expected ed25519 or p256, got ${JSON.stringify(wanted)}`);
  const isNew = makeAuthority(io, directory, { fleet, kind });
  const port = Number(new URL(url).port || 443);
  const settings = { url, listen: { port }, ways: { token: {}, code: {} } };
  const files = enrolmentFiles(directory);
  io.files.create(files.settings, prettyJson(settings), { mode: 0o600 });
  openEnrolment(io, directory).store.close();
  const said = isNew ? "made" : "was there already";
  out.talk(
    `the authority of ${openAuthority(io, directory).fleet} ${said}; images pin ${directory}/ca.pem`,
  );
  return exitCodes.done;
}

async function serve(invocation: Invocation): Promise<number> {
  const { io, log, out, signal } = invocation;
  await runEnrolment({ io, log, directory: directoryOf(invocation), signal }, (port) =>
    out.talk(`listening on port ${port}`),
  );
  return exitCodes.done;
}

async function token(invocation: Invocation): Promise<number> {
  const { io, out, flags, json } = invocation;
  const node = requiredName(invocation, "node", nodeNamePattern);
  const instanceId = textFlag(flags, "instance");
  const hardware = textFlag(flags, "hardware");
  if (instanceId === undefined && hardware === undefined)
    throw new Fault("cli/usage", "fleet enroll token: expected --instance or --hardware");
  const directory = directoryOf(invocation);
  const { store, authority } = openEnrolment(io, directory);
  try {
    const order = {
      ...{ fleet: authority.fleet, node },
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(hardware === undefined ? {} : { hardware }),
    };
    const signing = { key: openTokenKey(io, directory), nowMs: io.clock.now() };
    const { token, content } = makeToken(order, signing);
    await store.allowToken(content);
    const expires = new Date(content.expiresMs).toISOString();
    out.data(json ? prettyJson({ v: 1, token, node, expires }) : token);
    return exitCodes.done;
  } finally {
    store.close();
  }
}

async function answer(invocation: Invocation, said: "approved" | "denied"): Promise<number> {
  const { io, out, args } = invocation;
  const code = (args[0] ?? "").toUpperCase();
  const { store } = openEnrolment(io, directoryOf(invocation));
  try {
    const nowMs = io.clock.now();
    const pending = (await store.pending(nowMs)).find((each) => each.code === code);
    if (pending === undefined)
      throw new Fault("enroll/code-unknown", `no node waits under ${JSON.stringify(code)}`);
    const node =
      said === "denied" ? null : (textFlag(invocation.flags, "node") ?? suggestedName(pending));
    if (node === undefined || (node !== null && !nodeNamePattern.test(node)))
      throw new Fault("cli/usage", "fleet enroll approve: expected --node, a name for the node");
    const owner = node === null ? undefined : await store.node(node);
    if (owner !== undefined && owner.fingerprint !== null)
      throw new Fault("enroll/node-taken", `another key has the name ${node}`);
    await store.answer(code, { answer: said, node, nowMs });
    out.talk(node === null ? `denied ${code}` : `approved ${code} as ${node}`);
    return exitCodes.done;
  } finally {
    store.close();
  }
}

async function list(invocation: Invocation): Promise<number> {
  const { io, out, json } = invocation;
  const { store } = openEnrolment(io, directoryOf(invocation));
  try {
    const nodes = await store.nodes();
    const pending = await store.pending(io.clock.now());
    if (json) {
      out.data(prettyJson({ v: 1, nodes, pending }));
      return exitCodes.done;
    }
    const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16);
    for (const node of nodes) {
      const { name, way, enrolledMs, seenMs } = node;
      const state = await stateOf(store, node);
      out.data(`${name}  by ${way}  enrolled ${iso(enrolledMs)}  seen ${iso(seenMs)}${state}`);
    }
    for (const { code, machine, peer, answer: said } of pending) {
      const who = [machine.hostname, machine.instanceId]
        .filter(Boolean)
        .map((each) => JSON.stringify(each));
      out.data(`${code}  waits (${said})  ${who.join(" ")}  from ${peer}`);
    }
    return exitCodes.done;
  } finally {
    store.close();
  }
}

async function stateOf(store: EnrolStore, node: NodeRecord): Promise<string> {
  if (node.fingerprint === null) return "  revoked, may enrol anew";
  if (!(await counts(store, node))) return "  revoked";
  return node.contested === null ? "" : `  contested: ${node.contested}`;
}

async function revoke(invocation: Invocation): Promise<number> {
  const { io, out, args, flags } = invocation;
  const [name = ""] = args;
  const { store } = openEnrolment(io, directoryOf(invocation));
  try {
    const again = flags["again"] === true;
    if (!(await store.revoke(name, { nowMs: io.clock.now(), again })))
      throw new Fault("enroll/node-unknown", `no node is called ${JSON.stringify(name)}`);
    out.talk(`revoked ${name}; give the broker the new list: firstlight fleet enroll crl`);
    return exitCodes.done;
  } finally {
    store.close();
  }
}

async function certificate(invocation: Invocation): Promise<number> {
  const { io, args } = invocation;
  if (args.length === 0) throw new Fault("cli/usage", "fleet enroll certificate: expected a host");
  const to = required(invocation, "out");
  const authority = openAuthority(io, directoryOf(invocation));
  const key = newKey("p256");
  const order = { names: args, publicKey: createPublicKey(key), nowMs: io.clock.now() };
  const { pem } = authority.issueServer(order);
  io.files.write(`${to}/server.key`, keyPem(key), { mode: 0o600 });
  io.files.write(`${to}/server.pem`, pem, { mode: 0o644 });
  return exitCodes.done;
}

async function access(invocation: Invocation): Promise<number> {
  const { io, out } = invocation;
  const { store, authority } = openEnrolment(io, directoryOf(invocation));
  try {
    const lines: string[] = [];
    for (const node of await store.nodes()) {
      if (!(await counts(store, node))) continue;
      lines.push(mosquittoAccess({ fleet: authority.fleet, node: node.name }).join("\n"));
    }
    out.data(lines.join("\n\n"));
    return exitCodes.done;
  } finally {
    store.close();
  }
}

async function crl(invocation: Invocation): Promise<number> {
  const { io, out } = invocation;
  const { store, authority } = openEnrolment(io, directoryOf(invocation));
  try {
    const nowMs = io.clock.now();
    const times = { nowMs, nextUpdateMs: nowMs + yearMs };
    out.data(revocationList(authority, await store.revoked(nowMs), times).trimEnd());
    return exitCodes.done;
  } finally {
    store.close();
  }
}
