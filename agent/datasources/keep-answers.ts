import type { Files } from "#core/io.ts";

/** What is larger is a document, and read by one datasource alone. */
const mostBytes = 64 * 1024;

/** What was answered, or the fault that was thrown. */
type Answer = { readonly value: unknown } | { readonly error: unknown };

/**
 * The same files, for a while in which several look at the same and nothing changes: each is asked once for
 * its content, its names or what it is, also one that is not there. More than twenty clouds are known by the same
 * few files of the kernel.
 */
export function keepAnswers(files: Files): Files {
  const answers = new Map<string, Answer>();
  function ask<T>(question: string, find: () => T): T {
    const known = answers.get(question) ?? tryFind(find);
    if (!isLarge(known)) answers.set(question, known);
    if ("error" in known) throw known.error;
    return known.value as T;
  }
  const read: Files["read"] = (path, options) =>
    ask(`bytes ${options?.maxBytes} ${path}`, () => files.read(path, options));
  const readText: Files["readText"] = (path, options) =>
    ask(`text ${options?.maxBytes} ${path}`, () => files.readText(path, options));
  const list: Files["list"] = (path) => ask(`names ${path}`, () => files.list(path));
  const stat: Files["stat"] = (path) => ask(`stat ${path}`, () => files.stat(path));
  return Object.create(files, {
    ...{ read: { value: read }, readText: { value: readText } },
    ...{ list: { value: list }, stat: { value: stat } },
  }) as Files;
}

function tryFind(find: () => unknown): Answer {
  try {
    return { value: find() };
  } catch (error) {
    return { error };
  }
}

function isLarge(answer: Answer): boolean {
  const value = "value" in answer ? answer.value : undefined;
  return (value instanceof Uint8Array || typeof value === "string") && value.length > mostBytes;
}
