import { Fault } from "#core/fault.ts";
import { type Image, malformed, quoted } from "./image.ts";
import type { VolumeEntry } from "./volume.ts";

const maxDepth = 32;
const maxKeptEntries = 65_536;

/** What a file system must know to be read as a tree; `Node` is its own record of an entry. */
export interface DirectoryTree<Node extends VolumeEntry> {
  readonly image: Image;
  readonly root: Node;
  /** Entries of a directory, without `.` and `..`. */
  children(directory: Node): readonly Node[];
  /** Whether an entry's name is the wanted one. */
  matches(name: string, wanted: string): boolean;
  /** All `size` bytes of a file. */
  content(file: Node): Uint8Array;
}

/** The entries of a directory of the tree. */
export function listDirectory<Node extends VolumeEntry>(
  tree: DirectoryTree<Node>,
  path: string,
): readonly VolumeEntry[] {
  const directory = find(tree, path);
  if (directory?.kind !== "directory")
    throw malformed(tree.image.name, path, "a directory was expected");
  return tree.children(directory).map(({ name, kind, size }) => ({ name, kind, size }));
}

/** The bytes of a file of the tree, `undefined` when there is none; see `Volume.read`. */
export function readFile<Node extends VolumeEntry>(
  tree: DirectoryTree<Node>,
  path: string,
  maxBytes: number,
): Uint8Array | undefined {
  const file = find(tree, path);
  if (file === undefined) return undefined;
  const { image } = tree;
  if (file.kind !== "file") {
    throw malformed(image.name, path, `a regular file was expected, a ${file.kind} came`);
  }
  if (file.size > image.size) {
    throw malformed(
      image.name,
      path,
      `says it has ${file.size} bytes, the whole image has ${image.size}`,
    );
  }
  if (file.size > maxBytes) {
    throw new Fault(
      "io/too-large",
      `${image.name}: ${path}: ${file.size} bytes, at most ${maxBytes} are expected`,
    );
  }
  return tree.content(file);
}

/** Keeps what `children` answers, for a bounded number of entries. */
export function keepChildren<Node extends VolumeEntry>(
  children: (directory: Node) => readonly Node[],
): (directory: Node) => readonly Node[] {
  const kept = new Map<Node, readonly Node[]>();
  let entries = 0;
  return (directory) => {
    const known = kept.get(directory);
    if (known !== undefined) return known;
    const nodes = children(directory);
    if (entries + nodes.length > maxKeptEntries) {
      kept.clear();
      entries = 0;
    }
    kept.set(directory, nodes);
    entries += nodes.length;
    return nodes;
  };
}

function find<Node extends VolumeEntry>(tree: DirectoryTree<Node>, path: string): Node | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length > maxDepth) {
    throw malformed(tree.image.name, quoted(path), `deeper than ${maxDepth} directories`);
  }
  let node: Node | undefined = tree.root;
  for (const part of parts) {
    if (node?.kind !== "directory") return undefined;
    node = tree.children(node).find((child) => tree.matches(child.name, part));
  }
  return node;
}
