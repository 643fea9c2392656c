import type { CourierAnswer, CourierRequest, HttpProxy, Sending } from "../fetch/courier.ts";

/** What a child is asked: one line of JSON on its input, the next one when it has answered. */
export type ChildRequest = Omit<CourierRequest, "signal">;

/**
 * What a child says: a line with the head, then before each piece of the body a line with its length,
 * and 0 at the end. In the place of each line it may say why there is no more. Only an answer of the
 * 200s has a body.
 */
export type ChildHead = Pick<CourierAnswer, "status" | "offset">;

export interface ChildError {
  readonly error: string;
}

/** Longest piece of a body. */
export const maxFrameBytes = 1024 * 1024;

const maxErrorLength = 1_000;

/** Why there is no (more of an) answer, as a child says it. */
export function childError(error: unknown): ChildError {
  const message = error instanceof Error ? error.message : String(error);
  return { error: message.slice(0, maxErrorLength) };
}

/** The head of an answer. Throws when it is none. */
export function parseHead(line: string): ChildHead | ChildError {
  const value: unknown = JSON.parse(line);
  if (isError(value)) return value;
  const { status, offset } = (value ?? {}) as Partial<ChildHead>;
  if (Number.isSafeInteger(status) && Number.isSafeInteger(offset) && (offset as number) >= 0) {
    return { status: status as number, offset: offset as number };
  }
  throw new Error("the child says no status");
}

/** The length of the next piece of a body; 0: it was all. Throws when it is none. */
export function parseFrame(line: string): number | ChildError {
  const value: unknown = JSON.parse(line);
  if (isError(value)) return value;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxFrameBytes) {
    return value as number;
  }
  throw new Error("the child says no length");
}

/** A request, as its line says; `undefined` where it is none. */
export function parseRequest(line: string): ChildRequest | undefined {
  try {
    const { url, offset, answerMs, send, ca, proxy } = JSON.parse(line) as Partial<ChildRequest>;
    const isGood =
      /^https?:\/\//.test(url ?? "") &&
      Number.isInteger(offset) &&
      Number.isInteger(answerMs) &&
      (send === undefined || isSending(send)) &&
      (ca === undefined || typeof ca === "string") &&
      (proxy === undefined || isProxy(proxy));
    if (!isGood) return undefined;
    return {
      ...{ url: url as string, offset: offset as number, answerMs: answerMs as number },
      ...(send === undefined ? {} : { send }),
      ...(ca === undefined ? {} : { ca }),
      ...(proxy === undefined ? {} : { proxy }),
    };
  } catch {
    return undefined;
  }
}

function isProxy(value: unknown): value is HttpProxy {
  const { url, authorization } = (value ?? {}) as Partial<HttpProxy>;
  return (
    /^http:\/\//.test(url ?? "") &&
    (authorization === undefined || typeof authorization === "string")
  );
}

function isSending(value: unknown): value is Sending {
  const { method, headers, body } = (value ?? {}) as Partial<Sending>;
  return (
    (method === "GET" || method === "POST" || method === "PUT") &&
    typeof headers === "object" &&
    headers !== null &&
    Object.values(headers).every((each) => typeof each === "string") &&
    (body === undefined || typeof body === "string")
  );
}

function isError(value: unknown): value is ChildError {
  return typeof (value as ChildError | null)?.error === "string";
}
