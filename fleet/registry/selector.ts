import { Fault } from "#core/fault.ts";
import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";

/**
 * What a selector can ask of a node: labels, which an operator gives, and what the node said of
 * itself, which is asked by a name with `@` before it.
 */
export interface Selectable {
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Hardware profile; absent where none is known. */
  readonly hardware?: string | undefined;
  /** System as Nix calls it: `x86_64-linux`. */
  readonly platform?: string | undefined;
  /** Version of firstlight on it. */
  readonly agent?: string | undefined;
  readonly datasource?: string | undefined;
}

/** What stands behind an `@`. */
export const selectableNames = ["node", "hardware", "platform", "agent", "datasource"] as const;
type SelectableName = (typeof selectableNames)[number];

/** One condition: every value may have `*` in it, which stands for any text. */
export interface Requirement {
  readonly key: string;
  readonly operator: "in" | "not in" | "exists" | "absent";
  readonly values: readonly string[];
}

/** A selector: all conditions must hold. An empty list takes every node. */
export type Selector = readonly Requirement[];

/** Takes every node; an empty text is refused, because it is more often a mistake. */
export const everyNode = "*";

const maxLength = 4096;
const keyForm = /^@?[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?/;
const valueForm = /^[A-Za-z0-9*](?:[A-Za-z0-9._/:@+*-]{0,254}[A-Za-z0-9*])?/;

/**
 * Reads a selector, which is written as in Kubernetes: `site=berlin,role in (gateway, sensor)`,
 * `site!=lab`, `canary` (has the label), `!canary`. Throws `selector/invalid`.
 */
export function parseSelector(text: string): Selector {
  if (text.length > maxLength)
    throw refused(text, maxLength, `is longer than ${maxLength} characters`);
  if (text.trim() === everyNode) return [];
  const reader = textReader(text);
  const requirements: Requirement[] = [];
  do {
    requirements.push(readRequirement(reader));
  } while (reader.take(","));
  reader.end();
  return requirements;
}

/** Whether a node has all that is asked for. What has no such label has none of its values. */
export function matches(selector: Selector, node: Selectable): boolean {
  return selector.every((requirement) => fits(requirement, node));
}

/** The value of a key as selectors see it; `undefined` when the node has none. */
export function valueOfKey(key: string, node: Selectable): string | undefined {
  if (key.startsWith("@")) return node[key.slice(1) as SelectableName];
  return Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
}

/** Why a label cannot be given, or `undefined`: what cannot be selected is no label. */
export function labelFault(key: string, value: string): string | undefined {
  if (key.startsWith("@") || keyForm.exec(key)?.[0] !== key)
    return `the name ${JSON.stringify(key.slice(0, 128))} must be letters, digits and . _ / - between them`;
  if (value.includes("*") || valueForm.exec(value)?.[0] !== value)
    return `the value of ${key} must be letters, digits and . _ / : @ + - between them`;
  return undefined;
}

function fits({ key, operator, values }: Requirement, node: Selectable): boolean {
  const value = valueOfKey(key, node);
  if (operator === "exists") return value !== undefined;
  if (operator === "absent") return value === undefined;
  const isIn = value !== undefined && values.some((pattern) => fitsPattern(pattern, value));
  return operator === "in" ? isIn : !isIn;
}

/** Without a regular expression: a pattern of many stars must not take long. */
function fitsPattern(pattern: string, value: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === value;
  if (!value.startsWith(first) || value.length < first.length + last.length) return false;
  if (!value.endsWith(last)) return false;
  let at = first.length;
  const end = value.length - last.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

interface TextReader {
  /** Takes a mark when it comes next, blanks before it passed over. */
  take(mark: string): boolean;
  /** Takes what fits, or throws with what was expected. */
  expect(form: RegExp, what: string): string;
  fail(why: string): never;
  end(): void;
}

function textReader(text: string): TextReader {
  let at = 0;
  const skip = () => {
    while (text[at] === " ") at++;
  };
  const reader: TextReader = {
    take(mark) {
      skip();
      if (!text.startsWith(mark, at)) return false;
      at += mark.length;
      return true;
    },
    expect(form, what) {
      skip();
      const found = form.exec(text.slice(at))?.[0];
      if (found === undefined) return reader.fail(`expected ${what}`);
      at += found.length;
      return found;
    },
    fail(why) {
      throw refused(text, at, why);
    },
    end() {
      skip();
      if (at < text.length) reader.fail("expected a comma or the end");
    },
  };
  return reader;
}

function readRequirement(reader: TextReader): Requirement {
  if (reader.take("!")) return { key: readKey(reader), operator: "absent", values: [] };
  const key = readKey(reader);
  if (reader.take("!=")) return { key, operator: "not in", values: [readValue(reader)] };
  if (reader.take("==") || reader.take("="))
    return { key, operator: "in", values: [readValue(reader)] };
  if (reader.take("notin ") || reader.take("notin("))
    return { key, operator: "not in", values: readValues(reader) };
  if (reader.take("in ") || reader.take("in("))
    return { key, operator: "in", values: readValues(reader) };
  return { key, operator: "exists", values: [] };
}

function readKey(reader: TextReader): string {
  const key = reader.expect(keyForm, "the name of a label");
  const name = key.slice(1);
  if (!key.startsWith("@") || (selectableNames as readonly string[]).includes(name)) return key;
  const near = nearest(name, selectableNames);
  return reader.fail(
    `there is no ${key}; it is one of ${oneOf(selectableNames.map((each) => `@${each}`))}${near === undefined ? "" : `, perhaps @${near}`}`,
  );
}

function readValue(reader: TextReader): string {
  return reader.expect(valueForm, "a value: letters, digits and . _ / : @ + - *");
}

/** The bracket may have been taken with the word before it. */
function readValues(reader: TextReader): readonly string[] {
  reader.take("(");
  const values: string[] = [];
  do {
    values.push(readValue(reader));
  } while (reader.take(","));
  if (!reader.take(")")) reader.fail("expected a comma or )");
  return values;
}

function refused(text: string, at: number, why: string): Fault {
  const shown = JSON.stringify(text.slice(0, 200));
  return new Fault("selector/invalid", `selector ${shown}, character ${at + 1}: ${why}`);
}
