import { isFault } from "#core/fault.ts";
import type { AnswerReader } from "../cloud.ts";
import type { MetadataClient } from "../metadata/service.ts";

/** A machine starts without a password too. */
const withinMs = 5_000;
/** What the server says where there is no password, or none any more. */
const noPassword = "saved_password";
const refusal = "bad_request";

/**
 * Asks the password server of CloudStack, and of clouds that come of it. It is never told that its
 * password was saved, because nobody has set it: it says the same on the next boot.
 */
export async function askPassword(client: MetadataClient, path: string): Promise<void> {
  try {
    const headers = { domu_request: "send_my_password" };
    await client.get(path, { headers, withinMs, markup: true });
  } catch (error) {
    if (!isFault(error)) throw error; // else it is told by what is not there
  }
}

/** The password that it has for this machine, with what is to be said of it. */
export function readPassword(answers: AnswerReader, path: string): string | undefined {
  const isThere = answers.bytes(path) !== undefined;
  const password = answers.text(path);
  if (!isThere || password === refusal) {
    answers.find(path, {
      level: "note",
      code: "datasource/not-read",
      message: isThere ? "the password server refuses to answer" : "the password server is silent",
      hint: "nothing is to be done where the machine's user has a key, or a hashed_passwd",
    });
    return undefined;
  }
  if (password === undefined || password === noPassword) return undefined;
  answers.find(path, {
    level: "note",
    code: "datasource/unused-value",
    message: "the cloud has a password for this machine; it is not set, being in plain text",
    hint: "give the user a key, or a `hashed_passwd`",
  });
  return password;
}
