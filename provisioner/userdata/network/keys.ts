import { nearest } from "#core/nearest.ts";
import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import { put, refuse } from "../network-parts.ts";
import { getOwn } from "../own-key.ts";

/** What is done with the value of each key of a mapping. */
export type KeyReaders<T> = Readonly<Record<string, (value: Input, target: T) => void>>;

/**
 * Reads every key of a mapping into the target; one that the format does not have is named with the
 * one it looks like. An empty mapping and nothing at all are fine.
 */
export function readKeys<T>(input: Input, target: T, readers: KeyReaders<T>): void {
  if (input.value === null) return input.mark("translated");
  if (!input.isMapping()) return input.expected("a mapping");
  if (input.entries().length === 0) input.mark("translated");
  for (const [key, value] of input.entries()) {
    const read = getOwn(readers, key);
    if (read !== undefined) read(value, target);
    else unknownKey(value, key, Object.keys(readers));
  }
}

function unknownKey(input: Input, key: string, known: readonly string[]): void {
  const near = nearest(key, known);
  input.unsupported({
    code: "network/unknown-key",
    message: "a network config has no such key here",
    hint:
      near === undefined
        ? "remove it, or say it under `firstlight: options` with systemd.network"
        : `did you mean \`${near}\`?`,
  });
}

/** Readers of keys that set one key of the target each: `set("mtu", integerOf(68, 65535))`. */
export function setterFor<T extends object>() {
  return <K extends keyof T>(key: K, read: (input: Input) => T[K] | undefined) =>
    (input: Input, target: T): void =>
      put(target, key, read(input));
}

/** A key that is not translated, and what to do instead. */
export function left(message: string, hint: string) {
  return (input: Input): void => input.unsupported({ code: "network/unsupported", message, hint });
}

/** A key that says how one program is to do it, or nothing that counts here. */
export function passedOver(message: string) {
  return (input: Input): void =>
    input.unsupported({ code: "network/unsupported", message }, "note");
}

/** A truth value. */
export function flag(input: Input): boolean | undefined {
  return input.boolean();
}

/** A whole number within limits. */
export function integerOf(least: number, most: number) {
  return (input: Input): number | undefined => {
    const number = input.integer();
    if (number === undefined || (number >= least && number <= most)) return number;
    return refuse(
      input,
      `expected a whole number from ${least} to ${most}`,
      number < least ? `write ${least} or more` : `write ${most} or less`,
    );
  };
}

/** One of some words; a number or truth value stands for the word it is written as, or `also` says. */
export function wordOf<T extends string>(
  words: readonly T[],
  also: Readonly<Record<string, T>> = {},
) {
  return (input: Input): T | undefined => {
    const said = input.scalarText().trim().toLowerCase();
    const word = words.find((each) => each.toLowerCase() === said) ?? getOwn(also, said);
    if (typeof input.value === "object" || word === undefined) {
      return refuse(input, `expected ${words.join(", ")}`, wordHint(input.value, words));
    }
    input.mark("translated");
    return word;
  };
}

/** A text of a form. */
export function textOf(pattern: RegExp, expected: string, example: string) {
  return (input: Input): string | undefined => {
    const text = input.text();
    if (text === undefined || pattern.test(text)) return text;
    return refuse(input, `expected ${expected}`, `write it like \`${example}\``);
  };
}

/** A hardware address of six pairs, in small letters. */
export function macOf(input: Input): string | undefined {
  return hardwareAddress(input, /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
}

/** A hardware address to find a device by: six pairs, or more of InfiniBand. */
export function deviceMacOf(input: Input): string | undefined {
  return hardwareAddress(input, /^(?:[0-9a-f]{2}:){5}(?:[0-9a-f]{2}:){0,14}[0-9a-f]{2}$/);
}

function hardwareAddress(input: Input, form: RegExp): string | undefined {
  const text = input.text()?.trim().toLowerCase();
  if (text === undefined || form.test(text)) return text;
  return refuse(
    input,
    "expected a MAC address such as 52:54:00:12:34:56",
    "write pairs of hexadecimal digits with : between them, in quotes",
  );
}

/** A time; `unit` is that of a number without one. */
export function timeOf(unit: "ms" | "s") {
  return (input: Input): string | undefined => {
    if (typeof input.value === "number") {
      const number = input.integer();
      return number === undefined ? undefined : `${number}${unit}`;
    }
    const text = input.text();
    const [, count, written] = /^([0-9]{1,10})\s*(ms|s|m|h|d)?$/.exec(text ?? "") ?? [];
    if (text === undefined || count !== undefined) {
      return count === undefined ? undefined : `${count}${written ?? unit}`;
    }
    return refuse(
      input,
      `expected a time such as 100${unit}`,
      "write a whole number and one of ms, s, m, h and d, as `100ms`",
    );
  };
}

/** Whole seconds, also written with a unit. */
export function secondsOf(input: Input): number | undefined {
  const text = timeOf("s")(input);
  const [, count, unit] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text ?? "") ?? [];
  if (count === undefined) return undefined;
  const factor = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }[unit as "s"];
  const seconds = Number(count) * factor;
  return Number.isInteger(seconds)
    ? seconds
    : refuse(input, "expected whole seconds", "write a number of seconds, as `30`");
}

/** Names of interfaces; an empty list says that there are none. */
export function namesOf(input: Input): string[] | undefined {
  return input.items().flatMap((item) => linkNameOf(item) ?? []);
}

/** The name of an interface, of this document or of the kernel. */
export function linkNameOf(input: Input): string | undefined {
  const text = input.text();
  if (text === undefined || /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  return refuse(
    input,
    "expected the name of an interface: letters, digits, - _ and .",
    "write it like `eth0`",
  );
}
