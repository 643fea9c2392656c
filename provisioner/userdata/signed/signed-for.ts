/** What a signature says of itself, beside the text: the words of its namespace. */
export interface SignedFor {
  /** Counts up with each document that takes the place of another; `null` where none is given. */
  readonly serial: number | null;
  /** The one instance that it is for; `null` where it is for every one. */
  readonly instanceId: string | null;
}

/** The namespace of a signature for user-data; words may follow it, with commas between. */
export const signatureNamespace = "firstlight";

/**
 * Reads the namespace of a signature: `firstlight,serial=7,instance-id=i-1`, in which a comma in a value
 * is `%2C`. `undefined` where it is for something else, or says what is not known here: then it does
 * not count.
 */
export function readNamespace(namespace: string): SignedFor | undefined {
  const [name, ...words] = namespace.split(",");
  if (name !== signatureNamespace) return undefined;
  const said = new Map(words.map((word) => splitWord(word)));
  const serial = said.get("serial") ?? null;
  const instanceId = said.get("instance-id") ?? null;
  const known = Number(serial !== null) + Number(instanceId !== null);
  if (known !== words.length) return undefined;
  if (serial !== null && !/^(0|[1-9][0-9]{0,14})$/.test(serial)) return undefined;
  if (instanceId === "") return undefined;
  return { serial: serial === null ? null : Number(serial), instanceId };
}

function splitWord(word: string): readonly [string, string] {
  const at = word.indexOf("=");
  if (at === -1) return [word, ""];
  return [word.slice(0, at), decode(word.slice(at + 1))];
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return ""; // which no word takes
  }
}
