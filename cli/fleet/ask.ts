import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";

/** A passphrase as the first line of a file descriptor that is open already. Throws `cli/usage`, `signing/passphrase-missing`. */
export function passphraseFrom(descriptor: string): Secret<string> {
  if (!/^[0-9]{1,4}$/.test(descriptor))
    throw new Fault(
      "cli/usage",
      `--passphrase-fd: expected a number, got ${JSON.stringify(descriptor)}`,
    );
  let text: string;
  try {
    text = readFileSync(Number(descriptor), "utf8");
  } catch (cause) {
    throw new Fault("cli/usage", `--passphrase-fd: ${descriptor} cannot be read`, { cause });
  }
  const [line = ""] = text.split(/\r?\n/);
  if (line !== "") return new Secret(line);
  throw new Fault("signing/passphrase-missing", `--passphrase-fd: ${descriptor} holds no line`);
}

/** Asks at the terminal, without showing what is typed. Throws `signing/passphrase-missing` where there is none. */
export async function askPassphrase(
  question: string,
  signal: AbortSignal,
): Promise<Secret<string>> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true)
    throw new Fault("signing/passphrase-missing", `${question}: there is no terminal to ask at`);
  // Before the question: whoever answers at once must not be shown either.
  stdin.setRawMode(true);
  stderr.write(`${question}: `);
  const { promise, resolve, reject } = Promise.withResolvers<Secret<string>>();
  let typed = "";
  const onText = (chunk: Uint8Array | string) => {
    for (const sign of String(chunk)) {
      if (sign === "\u0003") reject(new Fault("cli/interrupted", "ended at the terminal"));
      else if (sign === "\r" || sign === "\n" || sign === "\u0004") resolve(new Secret(typed));
      else typed = sign === "\u007f" || sign === "\b" ? typed.slice(0, -1) : typed + sign;
    }
  };
  const onEnd = () =>
    reject(new Fault("signing/passphrase-missing", `${question}: the terminal was closed`));
  const onAbort = () => reject(signal.reason);
  stdin.on("data", onText).once("end", onEnd);
  signal.addEventListener("abort", onAbort);
  stdin.resume();
  try {
    return await promise;
  } finally {
    stdin.off("data", onText).off("end", onEnd);
    signal.removeEventListener("abort", onAbort);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

/** Asks for a new passphrase, twice. */
export async function askNewPassphrase(signal: AbortSignal): Promise<Secret<string>> {
  const first = await askPassphrase("passphrase of the new keys", signal);
  if (first.reveal().length < 10)
    throw new Fault("cli/usage", "a passphrase of a fleet's key has at least 10 characters");
  const again = await askPassphrase("once more", signal);
  if (first.reveal() === again.reveal()) return first;
  throw new Fault("cli/usage", "the two passphrases differ");
}

/** Whether the person at the terminal types `yes`; `undefined` where nobody is there. */
export async function askYes(question: string, signal: AbortSignal): Promise<boolean | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await asked.question(`${question} (yes/no) `, { signal })).trim() === "yes";
  } finally {
    asked.close();
  }
}
