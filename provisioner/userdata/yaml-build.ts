import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { type FindingLevel, findingPath } from "#core/finding.ts";
import { MergeWriter } from "./yaml-merge.ts";
import {
  isMerge,
  type MappingNode,
  type NodeLimits,
  type NodeUse,
  standardPrefix,
  tagOf,
  type YamlNode,
} from "./yaml-nodes.ts";
import { YamlProblem } from "./yaml-text.ts";
import { readScalar, type ScalarType } from "./yaml-types.ts";
import {
  type BuiltValue,
  type Item,
  listValue,
  type Member,
  mappingValue,
  scalarValue,
  textValue,
} from "./yaml-values.ts";

/** Something to say about the value at `path`; the reader makes a finding of it. */
export interface YamlRemark {
  readonly offset: number;
  readonly path: string;
  readonly level: FindingLevel;
  readonly code: Code;
  readonly message: string;
  readonly hint: string | null;
}

/** What building needs beside the nodes. */
export interface BuildOptions {
  readonly limits: NodeLimits & { readonly maxCharacters: number };
  /** Line of an offset, from 1. */
  lineOf(offset: number): number;
  report(remark: YamlRemark): void;
}

const quoteHint = "Put it in quotes when it is meant as text.";

/**
 * Makes JSON of nodes as PyYAML's safe constructor does, reporting through `report` what it would
 * refuse (all of it) and what JSON cannot hold. Throws {@link YamlProblem} beyond the limits.
 */
export function buildValue(root: YamlNode, options: BuildOptions): BuiltValue {
  return new Builder(options).build(root, 0);
}

class Builder {
  private readonly options: BuildOptions;
  private readonly built = new Map<YamlNode, BuiltValue>();
  private readonly merges: MergeWriter;
  /** Path of the node that is being built. */
  private readonly path: (string | number)[] = [];

  constructor(options: BuildOptions) {
    this.options = options;
    this.merges = new MergeWriter(options.limits, (node) => {
      const message = "`<<` takes a mapping or a list of mappings";
      const hint = "Write an alias of a mapping, as `<<: *common`, or put the key in quotes.";
      this.say({ offset: node.at, level: "error", code: "yaml/invalid", message, hint });
    });
  }

  build(node: YamlNode, depth: number): BuiltValue {
    const known = this.built.get(node);
    if (known !== undefined && depth + known.depth <= this.options.limits.maxDepth) return known;
    if (depth > this.options.limits.maxDepth || known !== undefined) {
      const message = `values are nested more than ${this.options.limits.maxDepth} deep`;
      throw new YamlProblem(
        "yaml/too-deep",
        node.at,
        message,
        "Write it with fewer values inside one another.",
      );
    }
    const value = this.construct(node, depth);
    this.bound(node, value);
    this.built.set(node, value);
    return value;
  }

  private bound(node: YamlNode, value: BuiltValue): void {
    const { maxNodes, maxCharacters } = this.options.limits;
    if (value.nodes <= maxNodes && value.characters <= maxCharacters) return;
    const message = "what the aliases here stand for is too large when written out";
    throw new YamlProblem(
      "yaml/too-large",
      node.at,
      message,
      "Write out what the aliases stand for, or use fewer of them.",
    );
  }

  private construct(node: YamlNode, depth: number): BuiltValue {
    const tag = tagOf(node);
    const type = tag.startsWith(standardPrefix) ? tag.slice(standardPrefix.length) : null;
    switch (type) {
      case "str":
      case "null":
      case "bool":
      case "int":
      case "float":
      case "timestamp":
      case "binary":
        return this.scalar(node, type);
      case "seq":
        return this.sequence(node, depth);
      case "map":
        return this.mapping(node, depth);
      case "set":
        return this.set(node, depth);
      case "omap":
      case "pairs":
        return this.pairs(node, depth);
      default:
        return this.unsupported(node, tag);
    }
  }

  private unsupported(node: YamlNode, tag: string): BuiltValue {
    if (node.tag === null && node.kind === "scalar") {
      const message = `\`${node.text}\` alone is not a value`;
      return this.refuse(node, "yaml/wrong-tag", message, quoteHint);
    }
    const name = tag.startsWith(standardPrefix) ? `!!${tag.slice(standardPrefix.length)}` : tag;
    const message = `the tag ${name.slice(0, 80)} is not known to a safe reader`;
    const hint = "Remove the tag, or put the whole value in quotes when it is meant as text.";
    return this.refuse(node, "yaml/unsupported-tag", message, hint);
  }

  private refuse(node: YamlNode, code: Code, message: string, hint: string): BuiltValue {
    this.say({ offset: node.at, level: "error", code, message, hint });
    return textValue("");
  }

  private say(remark: Omit<YamlRemark, "path">): void {
    this.options.report({ ...remark, path: findingPath(this.path) });
  }

  private scalar(node: YamlNode, type: ScalarType): BuiltValue {
    const text = this.textOf(node);
    const value = text === undefined ? undefined : readScalar(type, text);
    if (value === undefined) {
      const message = `this is no ${type} as YAML 1.1 writes it`;
      return this.refuse(node, "yaml/wrong-tag", message, quoteHint);
    }
    if (value.asText !== null) {
      const large = value.asText === "a large number";
      this.say({
        offset: node.at,
        level: large ? "warning" : "note",
        code: large ? "yaml/large-number" : "yaml/kept-as-text",
        message: `this is read as ${value.asText} and kept as text`,
        hint: quoteHint,
      });
    }
    const written = node.kind === "scalar" ? node.written : null;
    return written === null ? scalarValue(value) : { ...scalarValue(value), written };
  }

  /** Text of a scalar; of a mapping with the key `=` the text of its value. */
  private textOf(node: YamlNode): string | undefined {
    if (node.kind === "scalar") return node.text;
    if (node.kind === "sequence") return undefined;
    const entry = node.entries.find(({ key }) => tagOf(key.node) === `${standardPrefix}value`);
    return entry === undefined ? undefined : this.textOf(entry.value.node);
  }

  private sequence(node: YamlNode, depth: number): BuiltValue {
    if (node.kind !== "sequence") return this.wrongKind(node, "a list");
    return listValue(node.items.map((use, index) => this.at(index, use, depth)));
  }

  /** Builds what stands under `part` of the current path. */
  private at(part: string | number, use: NodeUse, depth: number): Item {
    this.path.push(part);
    const value = this.build(use.node, depth + 1);
    this.path.pop();
    return { at: use.at, value };
  }

  private wrongKind(node: YamlNode, expected: string): BuiltValue {
    return this.refuse(
      node,
      "yaml/wrong-tag",
      `its tag says ${expected}, but this is another kind of value`,
      "Remove the tag, or write what it says.",
    );
  }

  private mapping(node: YamlNode, depth: number): BuiltValue {
    if (node.kind !== "mapping") return this.wrongKind(node, "a mapping");
    return mappingValue(this.members(node, depth));
  }

  private set(node: YamlNode, depth: number): BuiltValue {
    if (node.kind !== "mapping") return this.wrongKind(node, "a set");
    const message = "this is read as a set and kept as the list of its entries";
    this.say({ offset: node.at, level: "note", code: "yaml/kept-as-text", message, hint: null });
    const members = [...this.members(node, depth).values()];
    return listValue(members.map(({ keyAt, key }) => ({ at: keyAt, value: key })));
  }

  private pairs(node: YamlNode, depth: number): BuiltValue {
    if (node.kind !== "sequence") return this.wrongKind(node, "a list of pairs");
    const pairs = node.items.map(({ node: item, at }, index): Item => {
      const entry =
        item.kind === "mapping" && item.entries.length === 1 ? item.entries[0] : undefined;
      if (entry === undefined) return { at, value: this.wrongKind(item, "a list of single pairs") };
      this.path.push(index);
      const pair = [this.at(0, entry.key, depth + 1), this.at(1, entry.value, depth + 1)];
      this.path.pop();
      return { at, value: listValue(pair) };
    });
    return listValue(pairs);
  }

  /** Members by JSON key. Merged entries come first and are overridden by the mapping's own. */
  private members(node: MappingNode, depth: number): ReadonlyMap<string, Member> {
    const entries = this.merges.flatten(node);
    const ownFrom = entries.length - node.entries.filter(({ key }) => !isMerge(key.node)).length;
    const byIdentity = new Map<string, Member>();
    entries.forEach((entry, index) => {
      const own = index >= ownFrom;
      const key = this.key(entry.key, own, depth);
      if (key.scalar === null) return;
      const earlier = byIdentity.get(key.scalar.identity);
      if (own && earlier?.own === true) this.sayDuplicate(entry.key.at, earlier);
      const name = earlier?.name ?? key.scalar.key;
      const { at, value } = this.at(name, entry.value, depth);
      const member = { name, own, keyAt: entry.key.at, key: earlier?.key ?? key, at, value };
      byIdentity.set(key.scalar.identity, member);
    });
    return this.byName(byIdentity.values());
  }

  private byName(members: Iterable<Member>): ReadonlyMap<string, Member> {
    const byName = new Map<string, Member>();
    for (const member of members) {
      const earlier = byName.get(member.name);
      if (earlier !== undefined) this.sayDuplicate(member.keyAt, earlier);
      byName.set(member.name, member);
    }
    return byName;
  }

  private sayDuplicate(laterAt: number, earlier: Member): void {
    this.path.push(earlier.name);
    const name = JSON.stringify(earlier.name.slice(0, 80));
    const line = this.options.lineOf(earlier.keyAt);
    this.say({
      offset: laterAt,
      level: "warning",
      code: "yaml/duplicate-key",
      message: `the key ${name} stands on line ${line} and again on line ${this.options.lineOf(laterAt)}, which counts`,
      hint: "Keep one of them, with all that both say.",
    });
    this.path.pop();
  }

  /** Builds a key; `scalar` is null where it cannot be one, which is reported. */
  private key(use: NodeUse, own: boolean, depth: number): BuiltValue {
    const { node } = use;
    if (node.kind === "scalar" && tagOf(node) === `${standardPrefix}value`) {
      this.built.set(node, textValue(node.text)); // as a key, `=` is text, and so are its aliases
    }
    const value = this.build(node, depth + 1);
    if (value.scalar === null) {
      const message = "a list or mapping may not be a key";
      const hint = "A value that begins with { or [ and is meant as text belongs in quotes.";
      this.say({ offset: use.at, level: "error", code: "yaml/invalid", message, hint });
    } else if (own && typeof value.json !== "string") {
      const message = `this key is read as ${describeKey(value.json)} and kept as the text ${value.scalar.key}`;
      this.say({
        offset: use.at,
        level: "note",
        code: "yaml/key-not-text",
        message,
        hint: quoteHint,
      });
    }
    return value;
  }
}

/** A part of a path as a finding shows it. */
function describeKey(json: Json): string {
  if (json === null) return "nothing";
  return typeof json === "boolean" ? "a truth value" : "a number";
}
