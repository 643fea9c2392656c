import {
  isMerge,
  type MappingEntry,
  type MappingNode,
  type NodeLimits,
  type YamlNode,
} from "./yaml-nodes.ts";
import { YamlProblem } from "./yaml-text.ts";

/**
 * Writes out merge keys (https://yaml.org/type/merge.html) in PyYAML's order. `refuse` is told of
 * every node that cannot be merged. Throws {@link YamlProblem} beyond the limits, which bound all
 * merges of a document together.
 */
export class MergeWriter {
  private readonly limits: NodeLimits;
  private readonly refuse: (node: YamlNode) => void;
  private readonly merged = new Map<MappingNode, readonly MappingEntry[]>();
  private mergedEntries = 0;

  constructor(limits: NodeLimits, refuse: (node: YamlNode) => void) {
    this.limits = limits;
    this.refuse = refuse;
  }

  /** The entries of a mapping with everything its `<<` keys name written before its own. */
  flatten(node: MappingNode, depth = 0): readonly MappingEntry[] {
    const known = this.merged.get(node);
    if (known !== undefined) return known;
    if (!node.entries.some(({ key }) => isMerge(key.node))) return node.entries;
    if (depth > this.limits.maxDepth) {
      const message = `mappings are merged more than ${this.limits.maxDepth} deep`;
      throw new YamlProblem(
        "yaml/too-deep",
        node.at,
        message,
        "Write it with fewer values inside one another.",
      );
    }
    const inherited: MappingEntry[] = [];
    const own: MappingEntry[] = [];
    for (const entry of node.entries) {
      if (!isMerge(entry.key.node)) own.push(entry);
      else for (const source of this.mergeSources(entry)) this.inherit(inherited, source, depth);
    }
    const entries = [...inherited, ...own];
    this.merged.set(node, entries);
    return entries;
  }

  private inherit(into: MappingEntry[], source: MappingNode, depth: number): void {
    const entries = this.flatten(source, depth + 1);
    this.mergedEntries += entries.length;
    if (this.mergedEntries > this.limits.maxNodes) {
      const message = `merge keys make more than ${this.limits.maxNodes} entries`;
      throw new YamlProblem(
        "yaml/too-large",
        source.at,
        message,
        "Write out what the aliases stand for, or use fewer of them.",
      );
    }
    for (const entry of entries) into.push(entry);
  }

  /** What one `<<` names, the strongest last: the first of a list overrides the later ones. */
  private mergeSources({ value: { node } }: MappingEntry): readonly MappingNode[] {
    if (node.kind === "mapping") return [node];
    const sources: MappingNode[] = [];
    if (node.kind === "scalar") this.refuse(node);
    else {
      for (const { node: item } of node.items) {
        if (item.kind === "mapping") sources.push(item);
        else this.refuse(item);
      }
    }
    return sources.reverse();
  }
}
