import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import { messagesOf, offerOf } from "./assign.ts";
import { signingPlaces } from "./places.ts";
import type { Repository } from "./repository.ts";

/** What was written to a stick. */
export interface Exported {
  /** Names below the directory, in the order in which a node takes the messages. */
  readonly messages: readonly string[];
  readonly manifests: readonly string[];
}

/**
 * Writes what one node needs to a directory, for a stick: its messages in the order of their names, the
 * last one called `desired.json`, and manifests of systems as `manifests/INPUTDIGEST.json`. The messages
 * are written last, so that a stick that was pulled out says nothing. Throws `signing/node-unknown`.
 */
export function exportNode(
  io: Pick<Io, "files" | "clock" | "random">,
  repository: Repository,
  { node, out }: { readonly node: string; readonly out: string },
): Exported {
  const { files, clock, random } = io;
  const set = repository.nodes.get(node);
  if (set === undefined)
    throw new Fault("signing/node-unknown", `${node}: no message was made for this node`);
  const { closures } = signingPlaces(repository.directory);
  const digests = Object.keys(set.director.signed.targets)
    .filter((path) => path.startsWith("closure/"))
    .map((path) => path.slice("closure/".length));
  const manifests = digests.map((digest) => `manifests/${digest}.json`);
  for (const digest of digests) {
    const text = files.readText(`${closures}/${digest}.json`, { maxBytes: 32 * 1024 * 1024 });
    if (text !== undefined) files.write(`${out}/manifests/${digest}.json`, text, { mode: 0o644 });
  }
  const parts = { id: random.uuid(), at: timestamp(clock) };
  const all = messagesOf(offerOf(files, repository, set), parts);
  const messages = all.map((_, index) =>
    index === all.length - 1 ? "desired.json" : `desired-${`${index + 1}`.padStart(3, "0")}.json`,
  );
  for (const [index, name] of messages.entries()) {
    files.write(`${out}/${name}`, all[index] as Uint8Array, { mode: 0o644 });
  }
  return { messages, manifests };
}
