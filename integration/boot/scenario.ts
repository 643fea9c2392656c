import type { Argv } from "../nix-machine.ts";
import type { Seed } from "../story.ts";
import type { ContainerOptions } from "./container.ts";
import type { LabOptions } from "./lab.ts";

/** Fields that a record, a message or a document must have; a pattern is looked for in the text. */
export type Fields = { readonly [name: string]: unknown };

/** What to do, or what to expect, in the order in which it happens. */
export type Action =
  /** From the next start on the datasource says this; the machine is off, or about to restart. */
  | { readonly insert: Seed }
  /** From now on the metadata service says this, texts by path. */
  | { readonly serve: Readonly<Record<string, string>> }
  | { readonly power: "on" | "reboot" | "off" | "cut" }
  /** On the console, since the machine was switched on: a record of firstlight's log. */
  | { readonly says: string; readonly with?: Fields }
  /** The first such record whose fields are these. */
  | { readonly tells: string; readonly when: Readonly<Record<string, string>> }
  /** The same of any line. */
  | { readonly shows: RegExp }
  /** At the broker: the next event of this kind after the last one that was heard of. */
  | { readonly hears: string; readonly with?: Fields }
  /** The fleet signs a release with this spec, and assigns it to the machine: an update of this name. */
  | { readonly assigns: string; readonly spec: object }
  /** Somebody publishes again what once assigned this update. */
  | { readonly replays: string }
  /** A program on the machine, as its root: started there, or from outside by ssh. */
  | ((Run | { readonly ssh: Argv }) & Expected);

interface Run {
  readonly run: Argv;
}

interface Expected {
  /** Exit code (default 0). */
  readonly code?: number;
  readonly prints?: RegExp | string;
  readonly lacks?: RegExp;
}

/** One sentence of a story. */
export type Step = { readonly why: string } & Action;

/** What a scenario has to know of where it is played. */
export interface Setting {
  /** Of the person who may log in. */
  readonly publicKey: string;
  /** How many times slower than a container the machine may be. */
  readonly pace: number;
  /** Whether the first generation takes a restart. */
  readonly restartsFirst: boolean;
}

/** The story of one machine, for every kind of machine that there is. */
export interface Scenario {
  readonly name: string;
  /** What the metadata service of its cloud says, texts by path. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What surrounds its machine beside what surrounds every machine. */
  readonly lab?: LabOptions;
  /** What its machine has beside what every machine has; a container only. */
  readonly container?: ContainerOptions;
  steps(setting: Setting): readonly Step[];
}
