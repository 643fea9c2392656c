import type { Finding } from "#core/finding.ts";
import type { UserDataPart } from "../parts/part.ts";
import { findingAt } from "../parts/split-findings.ts";
import { type NamedScript, orderScripts } from "./script-order.ts";

/** Parts that are run, of user-data and of vendor-data that is used. */
export interface Programs {
  readonly user: readonly UserDataPart[];
  readonly vendor: readonly UserDataPart[];
  /** Words before each ordinary script of vendor-data. */
  readonly prefix?: readonly string[];
}

/** Scripts in the order that cloud-init runs them in, with the place of `runcmd` among them. */
export interface OrderedPrograms {
  readonly beforeRuncmd: readonly NamedScript[];
  readonly afterRuncmd: readonly NamedScript[];
  readonly findings: readonly Finding[];
}

/**
 * The order of all that is run: hooks as they come; then the cloud's scripts, those with an interval of
 * their own, and those of the instance by their names, among which `runcmd` is one.
 */
export function orderPrograms({ user, vendor, prefix = [] }: Programs): OrderedPrograms {
  const own = orderScripts(user);
  const others = orderScripts(vendor);
  const started = [...others.beforeRuncmd, ...others.afterRuncmd].map((script) => ({
    ...script,
    prefix,
  }));
  const never = [...others.once, ...others.boot, ...others.instance];
  return {
    beforeRuncmd: [
      ...[...own.hooks, ...others.hooks, ...started],
      ...[...own.once, ...own.boot, ...own.instance, ...own.beforeRuncmd],
    ],
    afterRuncmd: own.afterRuncmd,
    findings: [
      ...[...own.replaced, ...others.replaced].map(({ part }) => replaced(part)),
      ...never.map(({ part }) => neverRun(part)),
    ],
  };
}

function replaced({ document, firstLine }: UserDataPart): Finding {
  return findingAt(document, firstLine, {
    level: "warning",
    code: "user-data/script-replaced",
    message: "a later script of this kind has the same name: this one is not run",
    hint: "give each a name of its own",
  });
}

function neverRun({ document, firstLine }: UserDataPart): Finding {
  return findingAt(document, firstLine, {
    level: "warning",
    code: "user-data/vendor-data",
    message: "scripts of vendor-data that have an interval of their own are run by nobody",
    hint: "put it into the user-data",
  });
}
