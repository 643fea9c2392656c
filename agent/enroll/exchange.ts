import { Fault } from "#core/fault.ts";
import type { Courier, CourierRequest } from "#provisioner/system/fetch/courier.ts";

/** Who is asked, and how long. */
export interface ExchangeOptions {
  readonly courier: Courier;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

const answerMs = 30_000;
/** For all of it. */
const deadlineMs = 60_000;

/** An answer, read whole. */
export interface Exchanged {
  readonly status: number;
  readonly text: string;
}

/** One request and its answer. Throws `enroll/unreachable`, `enroll/untrusted`, `enroll/too-large`. */
export async function exchange(
  request: Pick<CourierRequest, "url" | "send" | "ca">,
  { courier, signal, maxBytes }: ExchangeOptions,
): Promise<Exchanged> {
  const { origin } = new URL(request.url);
  const ends = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const answer = await courier.open({ ...request, offset: 0, answerMs, signal: ends });
    try {
      const isGood = answer.status >= 200 && answer.status <= 299;
      return { status: answer.status, text: isGood ? await readAll(answer.body, maxBytes) : "" };
    } finally {
      answer.close();
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    throw isOfTrust(error, message)
      ? new Fault("enroll/untrusted", `${origin}: ${message}`)
      : new Fault("enroll/unreachable", `${origin}: ${message}`);
  }
}

async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new Fault("enroll/too-large", `the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A child says only a message: OpenSSL's and Node's words for a certificate that is not taken. */
function isOfTrust(error: unknown, message: string): boolean {
  const code = String((error as { readonly code?: unknown } | null)?.code ?? "");
  return /CERT|ALTNAME|SELF_SIGNED/.test(code) || /certificate|altnames/i.test(message);
}
