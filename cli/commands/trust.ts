import { exitCodes } from "#agent/outcome.ts";
import { readNodeAddress } from "#agent/report-settings.ts";
import { readSettings } from "#agent/settings.ts";
import { readTrust, type Trust, trustRecord } from "#agent/update/read-trust.ts";
import { defaultRootFile, trustedCopyFile, trustedFile } from "#agent/update/trusted-places.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { RoleStanding } from "#protocol/trust/standing.ts";
import { printable } from "#provisioner/system/plan-words.ts";
import type { Command } from "../command.ts";

/** `firstlight trust` */
export const command: Command = {
  usage: "trust show [--root DIR] [--json]",
  summary: "Say whose signatures count on this node, what it believes of its fleet, and why.",
  help: "Each role with its newest version, when that expires, and which keys have signed it (*); then the time below\nwhich the clock cannot go, the releases that are allowed, what is wanted, and what was refused last.\nExit code: 2 when what is believed has expired, or a file of it is damaged.",
  options: {},
  arity: [1, 1],
  async run({ args, io, json, out }) {
    const [verb] = args;
    if (verb !== "show") {
      throw new Fault("cli/usage", `trust: expected show, got ${JSON.stringify(verb)}`);
    }
    const settings = await readSettings(io.files);
    const rootFile = settings.fleet?.root;
    const trust = readTrust(io, {
      node: readNodeAddress(io.files, settings),
      ...(rootFile === undefined ? {} : { rootFile }),
    });
    out.data(
      json
        ? prettyJson({ v: 1, ...trustRecord(trust) })
        : trustText(trust, rootFile ?? defaultRootFile)
            .map(printable)
            .join("\n"),
    );
    const isSound = trust.stale === null && trust.damaged.length === 0;
    return isSound ? exitCodes.done : exitCodes.degraded;
  },
};

/** The same for a person. */
function trustText(trust: Trust, rootFile: string): readonly string[] {
  const { node, roles, timeFloor, minimumRelease, revoked, assigned, refused } = trust;
  const places = { state: trustedFile, copy: trustedCopyFile, root: rootFile };
  return [
    row("node", node === null ? "no name yet" : `${node.node} of the fleet ${node.fleet}`),
    row("read from", places[trust.from]),
    ...trust.damaged.map(({ file, why }) => row("damaged", `${file}: ${why}`)),
    "",
    ...roles.flatMap(roleText),
    "",
    row("time", timeFloor === null ? "nobody has said yet" : `not before ${timeFloor}`),
    row("clock", trust.isClockSet ? "set in this boot" : "not known to be set in this boot"),
    row("releases", minimumRelease === 0 ? "any number" : `from number ${minimumRelease} on`),
    ...(revoked.length === 0 ? [] : [row("revoked", revoked.join(", "))]),
    row(
      "wanted",
      assigned === null
        ? "nothing"
        : `${assigned.release} (number ${assigned.number}), update ${assigned.updateId}`,
    ),
    ...(trust.stale === null ? [] : [row("stale", trust.stale.message)]),
    ...(refused === null
      ? []
      : [row("refused", `${refused.at} ${refused.code}: ${refused.message}`)]),
  ];
}

function roleText({ role, version, expires, isExpired, threshold, keys }: RoleStanding) {
  const standing =
    version === null ? "nothing yet" : `${version}, ${isExpired ? "expired" : "until"} ${expires}`;
  const named = keys.map(
    ({ keyid, algorithm, hasSigned }) =>
      `${hasSigned ? "*" : " "} ${keyid.slice(0, 16)} ${algorithm}`,
  );
  return [
    row(role, `${standing}; ${threshold} of ${keys.length} keys must sign`),
    ...named.map((each) => row("", each)),
  ];
}

function row(name: string, text: string): string {
  return `${name.padEnd(12)} ${text}`.trimEnd();
}
