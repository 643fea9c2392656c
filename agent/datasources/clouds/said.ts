import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { AnswerReader, JsonObject } from "../cloud.ts";

/**
 * A value of an answer in JSON or YAML. What is not there, or null, says nothing; a value of another
 * kind than is asked for throws `datasource/malformed` with its path in the answer.
 */
export class Said {
  readonly json: Json | undefined;
  readonly #fail: (problem: string) => Fault;
  readonly #path: string;

  private constructor(json: Json | undefined, fail: (problem: string) => Fault, path = "") {
    this.json = json ?? undefined;
    this.#fail = fail;
    this.#path = path;
  }

  /** The answer at a path, which must be there. Throws `datasource/missing`. */
  static in(answers: AnswerReader, path: string, form: "json" | "yaml" = "json"): Said {
    const value = answers[form](path);
    if (value !== undefined) return new Said(value, (problem) => answers.malformed(path, problem));
    throw new Fault("datasource/missing", answers.malformed(path, "there is nothing").message);
  }

  /** A value; `fail` makes the fault that says what is wrong with it. */
  static of(json: Json | undefined, fail: (problem: string) => Fault): Said {
    return new Said(json, fail);
  }

  /** The value under a key. */
  get(key: string): Said {
    return this.#inner(this.#object()?.[key], key);
  }

  /** Values by their keys. */
  entries(): readonly (readonly [string, Said])[] {
    return Object.entries(this.#object() ?? {}).map(([key, value]) => [
      key,
      this.#inner(value, key),
    ]);
  }

  items(): readonly Said[] {
    if (this.json === undefined) return [];
    if (!Array.isArray(this.json)) throw this.wrong("a list was expected");
    return this.json.map((item: Json, index) => this.#inner(item, String(index)));
  }

  /** A text or a number, as text; an empty one says nothing. */
  text(): string | undefined {
    const { json } = this;
    if (json === undefined || json === "") return undefined;
    if (typeof json === "string" || typeof json === "number") return String(json);
    throw this.wrong("a text was expected");
  }

  /** The same of a text that must be there. */
  need(): string {
    const text = this.text();
    if (text === undefined) throw this.wrong("a text was expected, there is none");
    return text;
  }

  /** The bytes of a text. */
  bytes(): Uint8Array | undefined {
    const text = this.text();
    return text === undefined ? undefined : Buffer.from(text, "utf8");
  }

  flag(): boolean {
    if (this.json === undefined || typeof this.json === "boolean") return this.json ?? false;
    throw this.wrong("true or false was expected");
  }

  /** A fault that says what is wrong with this value. */
  wrong(problem: string): Fault {
    return this.#fail(this.#path === "" ? problem : `${this.#path}: ${problem}`);
  }

  #object(): JsonObject | undefined {
    const { json } = this;
    if (json === undefined) return undefined;
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as JsonObject;
    throw this.wrong("a mapping was expected");
  }

  #inner(json: Json | undefined, key: string): Said {
    return new Said(json, this.#fail, this.#path === "" ? key : `${this.#path}.${key}`);
  }
}
