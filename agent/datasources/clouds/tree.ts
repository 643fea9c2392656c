import type { AnswerReader } from "../cloud.ts";
import type { MetadataClient } from "../metadata/service.ts";

/** Deeper than anything that is there. */
const mostLevels = 8;
/** Of a machine with 64 interfaces, each of about 30 leaves, half as many again. */
const mostPaths = 3_000;

/** What a machine is made of, of all that there is. */
const heeded = /^(?:$|local-hostname$|public-keys|network\/)/;

/**
 * Asks for everything below a path that lists what there is, a directory by a slash at its end, as EC2
 * has it and clouds that follow it. `left` begins what is not asked for. A leaf that
 * does not come costs no other one; what is beyond any real machine's tree is not asked for, and told.
 */
export async function crawlTree(
  client: MetadataClient,
  start: string,
  left: readonly string[] = [],
): Promise<void> {
  const lackIn = (path: string) => ({
    without: heeded.test(path.slice(start.length)) ? ("warning" as const) : ("note" as const),
  });
  let level = [start];
  let paths = 0;
  for (let depth = 0; level.length > 0 && depth < mostLevels; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      const names = ((await client.text(directory, lackIn(directory))) ?? "").split("\n");
      for (const name of names.map((each) => each.trim()).filter((each) => each !== "")) {
        if (++paths > mostPaths) {
          const problem = `more than ${mostPaths} names are listed, the further ones are not asked for`;
          client.lack({ level: "warning", path: directory, problem });
          return;
        }
        // A key is listed as `0=name`.
        const key = /^(\d+)=/.exec(name)?.[1];
        const path = `${directory}${key === undefined ? name : `${key}/`}`;
        if (left.some((prefix) => `${path}/`.startsWith(prefix))) continue;
        if (path.endsWith("/")) next.push(path);
        else await client.get(path, lackIn(path));
      }
    }
    level = next;
  }
  for (const path of level.slice(0, 1)) {
    const problem = `more than ${mostLevels} levels are listed, the deeper ones are not asked for`;
    client.lack({ level: "warning", path, problem });
  }
}

/** The public keys of such a tree: one file with a key a line, or a directory of each key. */
export function treeKeys(answers: AnswerReader, root: string): readonly string[] {
  const keys = answers.paths(`${root}public-keys/`).filter((path) => path.endsWith("/openssh-key"));
  return [`${root}public-keys`, ...keys].flatMap((path) => answers.lines(path));
}
