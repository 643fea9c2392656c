import {
  type MappingEntry,
  type MappingNode,
  type NodeLimits,
  type NodeUse,
  type ScalarNode,
  type SequenceNode,
  standardPrefix,
  type YamlNode,
} from "./yaml-nodes.ts";
import type { WrittenTag } from "./yaml-properties.ts";
import { YamlProblem } from "./yaml-text.ts";
import { type Token, type TokenKind, YamlScanner } from "./yaml-tokens.ts";
import type { WrittenText } from "./yaml-written.ts";

const bracketHint =
  "Close what is open, put a comma between entries, and quotes around a value with [ ] { } , or `: ` in it.";

interface Properties {
  readonly at: number | null;
  readonly anchor: string | null;
  readonly tag: string | null;
}

/**
 * Parses prepared text into its one document, by the grammar of PyYAML's parser and composer.
 * `undefined` stands for a text without any document. Throws {@link YamlProblem} at the first
 * place that is no YAML, holds a second document, or is beyond the limits.
 */
export function parseNodes(prepared: string, limits: NodeLimits): YamlNode | undefined {
  return new NodeParser(prepared, limits).document();
}

class NodeParser {
  private readonly scanner: YamlScanner;
  private readonly limits: NodeLimits;
  private readonly anchors = new Map<string, YamlNode>();
  /** Collections whose content is being read: an alias to one would never end. */
  private readonly open = new Set<YamlNode>();
  private handles: ReadonlyMap<string, string> = new Map();
  private nodes = 0;

  constructor(prepared: string, limits: NodeLimits) {
    this.scanner = new YamlScanner(prepared, limits.maxDepth);
    this.limits = limits;
  }

  document(): YamlNode | undefined {
    if (this.sees("end")) return undefined;
    let root: YamlNode | undefined;
    if (this.sees("directive", "document-start")) {
      this.readDirectives();
      this.expect(
        "document-start",
        "`---` must follow the directives",
        "Write `---` on a line of its own; a line that begins with % is a directive.",
      );
      root = this.sees("directive", "document-start", "document-end", "end")
        ? this.emptyScalar(this.scanner.peek().at)
        : this.node("block", 0).node;
    } else {
      this.handles = defaultHandles();
      root = this.node("block", 0).node;
    }
    this.endOfDocument();
    return root;
  }

  private endOfDocument(): void {
    while (this.sees("document-end")) this.scanner.take();
    const token = this.scanner.peek();
    if (token.kind === "end") return;
    if (token.kind === "document-start" || token.kind === "directive") {
      const hint = "Write them as one document: of several only one is read.";
      throw new YamlProblem("yaml/invalid", token.at, "only one document may stand here", hint);
    }
    this.fail(
      token,
      "the document has ended before this",
      "Check the indentation of this line, and that no bracket or `...` closes the document before it.",
    );
  }

  private readDirectives(): void {
    const handles = new Map<string, string>();
    let version = false;
    for (let token = this.scanner.peek(); token.kind === "directive"; token = this.scanner.peek()) {
      this.scanner.take();
      const { directive } = token;
      if (directive?.name === "YAML") {
        if (version) this.fail(token, "a document has one %YAML line", "Remove this one.");
        if (directive.major !== 1)
          this.fail(token, "only YAML 1 is read", "Write `%YAML 1.1`, or remove the line.");
        version = true;
      } else if (directive?.name === "TAG") {
        if (handles.has(directive.handle))
          this.fail(token, "this handle has a %TAG line already", "Remove this one.");
        handles.set(directive.handle, directive.prefix);
      }
    }
    this.handles = new Map([...defaultHandles(), ...handles]);
  }

  /**
   * Reads one node. `value` allows a list that is indented no deeper than its key, `block` any
   * block collection, `flow` only what may stand in brackets.
   */
  private node(place: "block" | "value" | "flow", depth: number): NodeUse {
    if (this.sees("alias")) return this.alias(this.scanner.take());
    const properties = this.properties();
    const token = this.scanner.peek();
    const at = properties.at ?? token.at;
    this.count(at, depth);
    const node = this.content(place, { ...properties, at }, depth);
    if (node !== undefined) return { node, at };
    if (properties.at === null) this.failNoContent(token, place);
    const plain = properties.tag === null || properties.tag === "!";
    const tag = plain ? null : properties.tag;
    return { node: this.anchored(properties.anchor, scalarNode(at, tag, "", plain)), at };
  }

  private content(
    place: "block" | "value" | "flow",
    properties: Properties & { at: number },
    depth: number,
  ): YamlNode | undefined {
    const { at, anchor } = properties;
    const token = this.scanner.peek();
    const tag = properties.tag === "!" ? null : properties.tag;
    switch (token.kind) {
      case "scalar": {
        this.scanner.take();
        const plain = (token.plain && tag === null) || properties.tag === "!";
        return this.anchored(anchor, scalarNode(at, tag, token.text, plain, token.written));
      }
      case "[":
        return this.sequence({ at, tag, anchor }, (items) => this.flowItems(items, depth + 1));
      case "{":
        return this.mapping({ at, tag, anchor }, (entries) => this.flowEntries(entries, depth + 1));
      case "block-sequence-start":
        if (place === "flow") return undefined;
        return this.sequence({ at, tag, anchor }, (items) => this.blockItems(items, depth + 1));
      case "block-mapping-start":
        if (place === "flow") return undefined;
        return this.mapping({ at, tag, anchor }, (entries) =>
          this.blockEntries(entries, depth + 1),
        );
      case "-":
        if (place !== "value") return undefined;
        return this.sequence({ at, tag, anchor }, (items) => this.flatItems(items, depth + 1));
      default:
        return undefined;
    }
  }

  private properties(): Properties {
    let at: number | null = null;
    let anchor: string | null = null;
    let tag: string | null = null;
    for (let token = this.scanner.peek(); ; token = this.scanner.peek()) {
      if (token.kind === "anchor" && anchor === null) {
        anchor = token.text;
        if (this.anchors.has(anchor))
          this.fail(
            token,
            `the anchor ${anchor.slice(0, 80)} is defined already`,
            "Give each anchor a name of its own.",
          );
      } else if (token.kind === "tag" && token.tag !== null && tag === null) {
        tag = this.wholeTag(token, token.tag);
      } else {
        return { at, anchor, tag };
      }
      at ??= token.at;
      this.scanner.take();
    }
  }

  private wholeTag(token: Token, { handle, suffix }: WrittenTag): string {
    if (handle === null) return suffix;
    const prefix = this.handles.get(handle);
    if (prefix === undefined)
      this.fail(
        token,
        `no %TAG line says what ${handle.slice(0, 40)} stands for`,
        "Put the value in quotes when ! is meant as text.",
      );
    return prefix + suffix;
  }

  private alias(token: Token): NodeUse {
    const node = this.anchors.get(token.text);
    if (node === undefined) {
      const hint = "If * is meant as text, put the value in quotes.";
      throw new YamlProblem(
        "yaml/invalid",
        token.at,
        `no anchor &${token.text.slice(0, 80)} stands before this alias`,
        hint,
      );
    }
    if (this.open.has(node)) {
      const message = `*${token.text.slice(0, 80)} stands inside the collection it names`;
      throw new YamlProblem(
        "yaml/recursive-alias",
        token.at,
        message,
        "Write out what is meant here: a value cannot hold itself.",
      );
    }
    this.count(token.at, 0);
    return { node, at: token.at };
  }

  private anchored<N extends YamlNode>(anchor: string | null, node: N): N {
    if (anchor !== null) this.anchors.set(anchor, node);
    return node;
  }

  private sequence(
    { at, tag, anchor }: { at: number; tag: string | null; anchor: string | null },
    read: (items: NodeUse[]) => void,
  ): SequenceNode {
    const node = this.anchored(anchor, { kind: "sequence", at, tag, items: [] } as SequenceNode);
    this.open.add(node);
    read(node.items);
    this.open.delete(node);
    return node;
  }

  private mapping(
    { at, tag, anchor }: { at: number; tag: string | null; anchor: string | null },
    read: (entries: MappingEntry[]) => void,
  ): MappingNode {
    const node = this.anchored(anchor, { kind: "mapping", at, tag, entries: [] } as MappingNode);
    this.open.add(node);
    read(node.entries);
    this.open.delete(node);
    return node;
  }

  private blockItems(items: NodeUse[], depth: number): void {
    this.scanner.take();
    while (this.sees("-")) items.push(this.blockItem(["-", "block-end"], depth));
    this.expect(
      "block-end",
      "an entry of this list must begin with `- ` at the list's indentation",
      "Begin each entry as far to the right as the one before it, and the keys of an entry as far as its first key.",
    );
  }

  /** The entries of a list that is indented no deeper than its key. */
  private flatItems(items: NodeUse[], depth: number): void {
    while (this.sees("-")) items.push(this.blockItem(["-", "key", "value", "block-end"], depth));
  }

  private blockItem(after: readonly TokenKind[], depth: number): NodeUse {
    const { end } = this.scanner.take();
    return this.sees(...after) ? this.emptyUse(end) : this.node("block", depth);
  }

  private blockEntries(entries: MappingEntry[], depth: number): void {
    this.scanner.take();
    while (this.sees("key")) {
      const key = this.after(["key", "value", "block-end"], "value", depth);
      const value = this.sees("value")
        ? this.after(["key", "value", "block-end"], "value", depth)
        : this.emptyUse(this.scanner.peek().at);
      entries.push({ key, value });
    }
    this.expect(
      "block-end",
      "a line of this mapping must be `key: value` at the mapping's indentation",
      "Begin each key as far to the right as the one before it, and put a value of several words with a quote at its beginning wholly in quotes.",
    );
  }

  /** Takes a mark and reads the node after it, which is empty before any of the kinds in `stops`. */
  private after(stops: readonly TokenKind[], place: "value" | "flow", depth: number): NodeUse {
    const { end } = this.scanner.take();
    return this.sees(...stops) ? this.emptyUse(end) : this.node(place, depth);
  }

  private flowItems(items: NodeUse[], depth: number): void {
    this.scanner.take();
    while (!this.sees("]")) {
      if (items.length > 0) {
        this.expect(",", "`,` or `]` must follow an entry in brackets", bracketHint);
        if (this.sees("]")) break;
      }
      items.push(this.sees("key") ? this.flowPair(depth) : this.node("flow", depth));
    }
    this.scanner.take();
  }

  /** `[key: value]`: a mapping of one entry without braces. */
  private flowPair(depth: number): NodeUse {
    const { at } = this.scanner.peek();
    this.count(at, depth);
    return { node: { kind: "mapping", at, tag: null, entries: [this.flowEntry(depth + 1)] }, at };
  }

  private flowEntry(depth: number): MappingEntry {
    const key = this.after(["value", ",", "]", "}"], "flow", depth);
    const value = this.sees("value")
      ? this.after([",", "]", "}"], "flow", depth)
      : this.emptyUse(this.scanner.peek().at);
    return { key, value };
  }

  /** `{key}`: without a colon on its line, a key has no value. */
  private lonelyKey(depth: number): MappingEntry {
    const key = this.node("flow", depth);
    return { key, value: this.emptyUse(this.scanner.peek().at) };
  }

  private flowEntries(entries: MappingEntry[], depth: number): void {
    this.scanner.take();
    while (!this.sees("}")) {
      if (entries.length > 0) {
        this.expect(",", "`,` or `}` must follow an entry in braces", bracketHint);
        if (this.sees("}")) break;
      }
      entries.push(this.sees("key") ? this.flowEntry(depth) : this.lonelyKey(depth));
    }
    this.scanner.take();
  }

  private emptyUse(at: number): NodeUse {
    return { node: this.emptyScalar(at), at };
  }

  private emptyScalar(at: number): ScalarNode {
    this.count(at, 0);
    return scalarNode(at, null, "", true);
  }

  private count(at: number, depth: number): void {
    if (depth > this.limits.maxDepth) {
      const message = `collections are nested more than ${this.limits.maxDepth} deep`;
      throw new YamlProblem(
        "yaml/too-deep",
        at,
        message,
        "Write it with fewer values inside one another.",
      );
    }
    this.nodes += 1;
    if (this.nodes > this.limits.maxNodes) {
      const message = `the document holds more than ${this.limits.maxNodes} values`;
      throw new YamlProblem(
        "yaml/too-large",
        at,
        message,
        "Write a smaller document: what is large belongs into a file that is fetched, as `source.uri` of `write_files`.",
      );
    }
  }

  private sees(...kinds: readonly TokenKind[]): boolean {
    return kinds.includes(this.scanner.peek().kind);
  }

  private expect(kind: TokenKind, message: string, hint: string): void {
    const token = this.scanner.peek();
    if (token.kind !== kind) this.fail(token, message, hint);
    this.scanner.take();
  }

  private failNoContent(token: Token, place: "block" | "value" | "flow"): never {
    const expected =
      place === "flow" ? "a value was expected in these brackets" : "a value was expected here";
    this.fail(
      token,
      `${expected}, not ${describeToken(token)}`,
      "Write the value here, in quotes when it begins with a sign such as [ { } ] , - or *.",
    );
  }

  private fail(token: Token, message: string, hint: string): never {
    throw new YamlProblem("yaml/invalid", token.at, message, hint);
  }
}

function scalarNode(
  at: number,
  tag: string | null,
  text: string,
  plain: boolean,
  written: WrittenText | null = null,
): ScalarNode {
  return { kind: "scalar", at, tag, text, plain, written };
}

function defaultHandles(): ReadonlyMap<string, string> {
  return new Map([
    ["!", "!"],
    ["!!", standardPrefix],
  ]);
}

function describeToken(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end of the document";
    case "key":
      return "a key";
    case "value":
      return "`:`";
    case "block-end":
      return "a line with less indentation";
    case "document-start":
    case "document-end":
      return "a document marker";
    case "block-sequence-start":
    case "block-mapping-start":
      return "an indented collection";
    case "directive":
    case "alias":
    case "anchor":
    case "tag":
    case "scalar":
      return `a further ${token.kind}`;
    default:
      return `\`${token.kind}\``;
  }
}
