import { type Chains, chainsOf } from "./comparisons.ts";
import { CloudInitInterpreter } from "./interpreter.ts";
import { Environment, type Node, parse } from "./library.ts";
import {
  blocksOfParts,
  type PlaceOfBlock,
  placesOfBlocks,
  type Token,
  watchTokens,
} from "./places.ts";
import { problemOf, TemplateProblem } from "./template-problem.ts";
import { tokensOf } from "./tokens.ts";

/** A variable that a template uses and that there is not. */
export interface MissingVariable {
  /** That of the variable, or of the last key that led to it. */
  readonly name: string;
  /** Whether its name stands in the text; otherwise it was taken for nothing, as in a condition. */
  readonly isPrinted: boolean;
  /** Where the block begins in which it was first come by, from 1; absent where that is not known. */
  readonly line?: number;
  readonly column?: number;
}

/** What a template comes to. */
export interface RenderedTemplate {
  readonly text: string;
  /** In the order in which they were come by, each once. */
  readonly missing: readonly MissingVariable[];
}

/**
 * Renders a template over variables as cloud-init does: statements take the newline that follows them
 * with them, values print as Python prints them, a variable that there is not leaves
 * `CI_MISSING_JINJA_VAR/` and its name, and reaching into one is an error. The tree is interpreted over maps of its own:
 * no code is made of it, and nothing of JavaScript can be named in it. Time and memory are the caller's
 * to bound. Throws a {@link TemplateProblem}; `atLine` is told the line before.
 */
export function renderTemplate(
  template: string,
  variables: { readonly [name: string]: unknown },
  atLine: (line: number | undefined) => void = () => {},
): RenderedTemplate {
  const lines = template.replace(/\r\n?/g, "\n"); // as Jinja2 reads it
  const places = placesOfBlocks(lines);
  const { text: source, raw } = takeRaw(lines, places);
  const globals = new Environment();
  for (const [name, value] of Object.entries({ ...constants, ...raw })) globals.set(name, value);
  const scope = new Environment(globals);
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  const { program, tokens, chained } = parseTemplate(source, { lines, places }, (block) =>
    atLine(places[block]?.line),
  );
  const blocks = blocksOfParts(tokens);
  const interpreter = new CloudInitInterpreter(program, scope, chained);
  // Without one node for each block no place is to be trusted.
  const isTrusted = interpreter.parts === blocks.length;
  const placeOf = (part: number) => (isTrusted ? places[blocks[part] ?? -1] : undefined);
  try {
    const text = String(interpreter.run(program).value);
    const missing = [...interpreter.missing].map(([name, { isPrinted, part }]) => {
      const place = placeOf(part);
      return { name, isPrinted, ...(place && { line: place.line, column: place.column }) };
    });
    return { text: source.endsWith("\n") ? `${text}\n` : text, missing };
  } catch (error) {
    if (isTrusted) atLine(placeOf(interpreter.at)?.line);
    throw problemOf(error, "other");
  }
}

/** The tree of a template; where it is none, `atBlock` is told the block that it was read up to. */
function parseTemplate(
  source: string,
  of: { readonly lines: string; readonly places: readonly PlaceOfBlock[] },
  atBlock: (block: number) => void,
): {
  readonly program: Node;
  readonly tokens: readonly Token[];
  readonly chained: Chains["chained"];
} {
  let reached = () => blockOfFault(of.lines, of.places);
  try {
    refuseGeneration(source);
    const tokens = tokensOf(source);
    const { chained, unread } = chainsOf(tokens);
    reached = () => unread ?? -1;
    if (unread !== undefined)
      throw new TemplateProblem("syntax", "a comparison before `not in` needs parentheses");
    const watched = watchTokens(tokens);
    reached = watched.reached;
    return { program: parse(watched.tokens), tokens, chained };
  } catch (error) {
    atBlock(reached());
    throw problemOf(error, "syntax");
  }
}

/** The library drops this statement of its own, wherever it stands. */
function refuseGeneration(source: string): void {
  if (/\{%-?\s*(?:end)?generation\s*-?%\}/.test(source))
    throw new TemplateProblem("syntax", "Unknown statement type: generation");
}

/** The first block that has no tokens by itself. */
function blockOfFault(template: string, places: readonly PlaceOfBlock[]): number {
  return places.findIndex(({ start, isRaw }, index) => {
    try {
      const block = template.slice(start, places[index + 1]?.start);
      if (isRaw) return false;
      refuseGeneration(block);
      tokensOf(block);
      return false;
    } catch {
      return true;
    }
  });
}

/** What stands between `raw` and `endraw`, which the library does not know, as variables. */
function takeRaw(
  template: string,
  places: readonly PlaceOfBlock[],
): { readonly text: string; readonly raw: Readonly<Record<string, string>> } {
  const raw: Record<string, string> = {};
  let text = "";
  let taken = 0;
  for (const { start, end } of places.filter(({ isRaw }) => isRaw)) {
    const [, before, first, inside = "", last, after] =
      rawBlock.exec(template.slice(start, end)) ?? [];
    const name = `__raw_${Object.keys(raw).length}`;
    const left = first === "-" ? inside.trimStart() : inside;
    raw[name] = last === "-" ? left.trimEnd() : left;
    const [open, close] = [before === "-" ? "{{-" : "{{", after === "-" ? "-}}" : "}}"];
    text += `${template.slice(taken, start)}${open} ${name} ${close}`;
    // The last newline of a template is taken before that, and given back at the end.
    const isFollowed = template[end] === "\n" && end + 1 < template.length;
    taken = end + (after === "" && isFollowed ? 1 : 0);
  }
  return { text: text + template.slice(taken), raw };
}

const rawBlock = /^\{%([-+]?)\s*raw\s*(-?)%\}([\s\S]*?)\{%([-+]?)\s*endraw\s*([-+]?)%\}$/;

/** How long a range may be. */
const longestRange = 100_000;

const constants = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  range,
};

function range(...given: readonly number[]): readonly number[] {
  const [first = 0, second, step = 1] = given;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange))
    throw new TemplateProblem("limits", `range: more than ${longestRange} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}
