import path from "node:path";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { assignNode, type OpenOnline, type Wish } from "#fleet/trust/assign.ts";
import { exportNode } from "#fleet/trust/export.ts";
import type { Repository } from "#fleet/trust/repository.ts";
import { nextRoot, nextTargets, stage } from "#fleet/trust/stage.ts";
import type { Update } from "#generated/protocol/trust/targets.ts";
import { type Invocation, textFlag } from "../command.ts";
import {
  keyOpener,
  listFlag,
  nameOfKey,
  openRepository,
  requiredFlag,
  requireNode,
  spanOf,
  usualDays,
} from "./given.ts";
import { tellWaiting } from "./sign.ts";

/** `firstlight fleet assign NODE (RELEASE | --none)` */
export async function assign(invocation: Invocation): Promise<number> {
  const { io, out, args, flags, json } = invocation;
  const [node = "", release, ...more] = args;
  if (more.length > 0 || (release === undefined) !== (flags["none"] === true))
    throw new Fault("cli/usage", "fleet assign: expected NODE RELEASE, or NODE --none");
  requireNode(node);
  const repository = openRepository(invocation);
  const wish = release === undefined ? null : wishOf(invocation, repository, { node, release });
  const set = await assignNode(io.files, repository, {
    node,
    wish,
    open: onlineOpener(invocation, repository),
    ...spanOf(invocation, usualDays.node),
  });
  const { version, expires } = set.timestamp.signed;
  if (json)
    out.data(
      prettyJson({
        v: 1,
        node,
        release: release ?? null,
        updateId: wish?.update.id ?? null,
        expires,
      }),
    );
  else out.talk(`${node}: message ${version} assigns ${release ?? "nothing"}, until ${expires}`);
  return exitCodes.done;
}

function wishOf(
  invocation: Invocation,
  { nodes }: Repository,
  { node, release }: { readonly node: string; readonly release: string },
): Wish {
  const { flags } = invocation;
  const [rollout, notBefore, deadline] = ["rollout", "not-before", "deadline"].map((name) =>
    textFlag(flags, name),
  );
  const mirrors = listFlag(invocation, "mirrors");
  const number = (nodes.get(node)?.director.signed.version ?? 0) + 1;
  const update: Update = {
    id: textFlag(flags, "update") ?? `u-${number}-${release}`.slice(0, 128),
    ...(rollout === undefined ? {} : { rollout }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(flags["approval"] === true ? { approval: true } : {}),
    ...(flags["urgent"] === true ? { urgent: true } : {}),
    ...(mirrors === undefined ? {} : { mirrors: [...mirrors] }),
  };
  return { release, update };
}

function onlineOpener(invocation: Invocation, repository: Repository): OpenOnline {
  const open = keyOpener(invocation, repository);
  return (keyid) => open(nameOfKey(repository, keyid));
}

/** `firstlight fleet renew root | targets | nodes [NODE…]` */
export async function renew(invocation: Invocation): Promise<number> {
  const { io, out, args } = invocation;
  const [what = "", ...named] = args;
  const repository = openRepository(invocation);
  if (what === "root" && named.length === 0) {
    const span = spanOf(invocation, usualDays.root);
    const same = <T>(roles: T | undefined): T => {
      if (roles === undefined) throw new Fault("signing/not-signed", "there is no root yet");
      return roles;
    };
    stage(io.files, repository, { role: "root", signed: nextRoot(repository, same, span) });
  } else if (what === "targets" && named.length === 0) {
    const span = spanOf(invocation, usualDays.targets);
    const signed = nextTargets(repository, (image) => image, span);
    stage(io.files, repository, { role: "targets", signed });
  } else if (what === "nodes") {
    const open = onlineOpener(invocation, repository);
    const unknown = named.find((node) => !repository.nodes.has(node));
    if (unknown !== undefined)
      throw new Fault("signing/node-unknown", `${unknown}: no message was made for this node`);
    const nodes = named.length > 0 ? named : [...repository.nodes.keys()];
    const span = spanOf(invocation, usualDays.node);
    for (const node of nodes)
      await assignNode(io.files, repository, { node, wish: undefined, open, ...span });
    out.talk(`${nodes.length} ${nodes.length === 1 ? "message" : "messages"} made anew`);
    return exitCodes.done;
  } else throw new Fault("cli/usage", "fleet renew: expected root, targets or nodes [NODE…]");
  tellWaiting(invocation, openRepository(invocation));
  return exitCodes.done;
}

/** `firstlight fleet export --node N --out DIR` */
export async function exportTo(invocation: Invocation): Promise<number> {
  const { io, out, json } = invocation;
  const node = requireNode(requiredFlag(invocation, "node"));
  const to = path.resolve(requiredFlag(invocation, "out"));
  const exported = exportNode(io, openRepository(invocation), { node, out: to });
  if (json) out.data(prettyJson({ v: 1, node, out: to, ...exported }));
  else out.talk(`${node}: ${[...exported.messages, ...exported.files].join(", ")} in ${to}`);
  return exitCodes.done;
}
