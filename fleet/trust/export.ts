import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import { messagesOf, offerOf } from "./assign.ts";
import { signingPlaces } from "./places.ts";
import type { Repository } from "./repository.ts";

/** What was written to a stick: names below its directory. */
export interface Exported {
  /** Messages, in the order in which a node takes them; the last one is `desired.json`. */
  readonly messages: readonly string[];
  /** Documents of releases and manifests of systems. */
  readonly files: readonly string[];
}

/**
 * Writes what one node needs to a directory, as `firstlight update import` takes it and as a mirror has it:
 * the message as `desired.json`, documents as `release/SHA256.NAME`, manifests as `closure/INPUTDIGEST.json`.
 * Of a root chain that one message cannot hold the beginnings lie in `roots-1`, `roots-2` and so on, each a
 * directory to be imported before. The messages are written last, so that a stick that was pulled out says
 * nothing. Throws `signing/node-unknown`.
 */
export function exportNode(
  io: Pick<Io, "files" | "clock" | "random">,
  repository: Repository,
  { node, out }: { readonly node: string; readonly out: string },
): Exported {
  const { clock, random } = io;
  const set = repository.nodes.get(node);
  if (set === undefined)
    throw new Fault("signing/node-unknown", `${node}: no message was made for this node`);
  const copied = Object.entries(set.director.signed.targets).map(([path, { hashes }]) => {
    const place = placesOf(repository, path, hashes.sha256);
    const text = io.files.readText(place.from, { maxBytes: 32 * 1024 * 1024 });
    if (text === undefined) throw new Fault("signing/damaged", `${place.from}: it is missing`);
    io.files.write(`${out}/${place.to}`, text, { mode: 0o644 });
    return place.to;
  });
  const parts = { id: random.uuid(), at: timestamp(clock) };
  const all = messagesOf(offerOf(io.files, repository, set), parts);
  const messages = all.map((_, index) =>
    index === all.length - 1 ? "desired.json" : `roots-${index + 1}/desired.json`,
  );
  for (const [index, name] of messages.entries()) {
    io.files.write(`${out}/${name}`, all[index] as Uint8Array, { mode: 0o644 });
  }
  return { messages, files: copied };
}

function placesOf({ directory }: Repository, path: string, sha256: string) {
  const { releases, closures } = signingPlaces(directory);
  const name = path.slice(path.indexOf("/") + 1);
  return path.startsWith("release/")
    ? { from: `${releases}/${name}.json`, to: `release/${sha256}.${encodeURIComponent(name)}` }
    : { from: `${closures}/${name}.json`, to: `closure/${name}.json` };
}
