import * as jinja from "@huggingface/jinja";
import type { Token } from "./places.ts";
import type { Value } from "./python-text.ts";

/** What is used of the library; its own types import files that they do not name. */
interface Library {
  readonly Environment: new (parent?: Scope) => Scope;
  readonly Interpreter: new (
    scope: Scope,
  ) => {
    run(program: Node): Value;
    evaluate(node: Node | undefined, scope: Scope): Value;
  };
  tokenize(template: string, options: { readonly trim_blocks: boolean }): readonly Token[];
  parse(tokens: readonly Token[]): Node;
}

/** Variables that a part of a template sees. */
export interface Scope {
  set(name: string, value: unknown): unknown;
}

/** A node of the library's tree. */
export interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}

export const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Library;
