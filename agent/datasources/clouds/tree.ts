import { counted } from "#core/count.ts";
import type { AnswerReader } from "../cloud.ts";
import type { MetadataClient } from "../metadata/service.ts";

/** Deeper than anything that is there. */
const mostLevels = 8;
/** Of a machine with 64 interfaces, each of about 30 leaves, half as many again. */
const mostPaths = 3_000;

/** Of all that is named there; eight of them are still an address. */
const mostNameLength = 200;

/** What a machine is made of, of all that there is. */
const heeded = /^(?:$|local-hostname$|public-keys|network\/)/;

/** Values that the owner of a machine writes as he likes. */
const owned = /^tags\//;

/** What is to be asked for: a directory, or a leaf. */
interface Listed {
  readonly path: string;
  readonly depth: number;
  readonly isHeeded: boolean;
}

/**
 * Asks for everything below a path that lists what there is, a directory by a slash at its end, as EC2
 * has it and clouds that follow it: first what a machine is made of. `left` begins what is not asked for. A
 * leaf that does not come costs no other one; what is beyond any real machine's tree or the time for what
 * a machine can do without is not asked for, and told; so is a name that is too long or leads out of the tree.
 */
export async function crawlTree(
  client: MetadataClient,
  start: string,
  left: readonly string[] = [],
): Promise<void> {
  const isHeeded = (path: string) => heeded.test(path.slice(start.length));
  const levelOf = (path: string) => (isHeeded(path) ? ("warning" as const) : ("note" as const));
  const pending = new Pending({ path: start, depth: 0, isHeeded: true });
  let tooDeep: string | undefined;
  for (let asked = 0; ; asked++) {
    const next = pending.take();
    if (next === undefined) break;
    const { path, depth } = next;
    // The start itself is no name that is listed.
    if (asked > mostPaths) {
      const problem = `more than ${mostPaths} names are listed, the further ones are not asked for`;
      return client.lack({ level: "warning", path: directoryOf(path), problem });
    }
    if (!client.hasTime()) {
      const problem = "not asked for, nor what follows it: what came before took too long";
      return client.lack({ level: levelOf(path), path, problem });
    }
    const options = { without: levelOf(path), markup: owned.test(path.slice(start.length)) };
    if (!path.endsWith("/")) {
      await client.get(path, options);
      continue;
    }
    if (depth >= mostLevels) {
      tooDeep ??= path;
      continue;
    }
    const names = ((await client.text(path, options)) ?? "").split("\n");
    const outward: string[] = [];
    for (const name of names.map((each) => each.trim()).filter((each) => each !== "")) {
      // A key is listed as `0=name`.
      const key = /^(\d+)=/.exec(name)?.[1];
      const below = `${path}${key === undefined ? name : `${key}/`}`;
      if (left.some((prefix) => `${below}/`.startsWith(prefix))) continue;
      if (key === undefined && !isBelow(name)) outward.push(name);
      else pending.add({ path: below, depth: depth + 1, isHeeded: isHeeded(below) });
    }
    if (outward.length === 0) continue;
    const first = JSON.stringify(outward[0]?.slice(0, 100));
    const problem = `${counted(outward.length, "name")} listed that are too long or lead out of the tree, the first ${first}: not asked for`;
    client.lack({ level: levelOf(path), path, problem });
  }
  if (tooDeep === undefined) return;
  const problem = `more than ${mostLevels} levels are listed, the deeper ones are not asked for`;
  client.lack({ level: "warning", path: tooDeep, problem });
}

/** What waits to be asked for; no more of it is kept than may be asked for. */
class Pending {
  readonly #heeded: Listed[] = [];
  readonly #others: Listed[] = [];

  constructor(first: Listed) {
    this.add(first);
  }

  add(listed: Listed): void {
    const queue = listed.isHeeded ? this.#heeded : this.#others;
    if (queue.length <= mostPaths) queue.push(listed);
  }

  take(): Listed | undefined {
    return this.#heeded.shift() ?? this.#others.shift();
  }
}

/** Whether a listed name is below its directory, however the parts of an address are read, and of a length that is one. */
function isBelow(name: string): boolean {
  if (name.length > mostNameLength) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an address loses them on its way
  if (/[\\\u0000-\u001f]/.test(name)) return false;
  const parts = name.replace(/\/$/, "").split("/");
  return parts.every((part) => !["", ".", ".."].includes(part.replaceAll(/%2e/gi, ".")));
}

function directoryOf(path: string): string {
  return path.replace(/[^/]*\/?$/, "");
}

/** The public keys of such a tree: one file with a key a line, or a directory of each key. */
export function treeKeys(answers: AnswerReader, root: string): readonly string[] {
  const keys = answers.paths(`${root}public-keys/`).filter((path) => path.endsWith("/openssh-key"));
  return [`${root}public-keys`, ...keys].flatMap((path) => answers.lines(path));
}
