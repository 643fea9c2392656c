import { connect } from "node:net";
import { durationMs } from "#core/duration.ts";
import type { Io } from "#core/io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import { nameOfCheck } from "./check-names.ts";
import type { LookLimits, ProbeResult } from "./probe.ts";

const defaultTimeoutMs = 5_000;

/** Opens a TCP connection and closes it. */
export function probeTcp(
  check: Extract<Check, { type: "tcp" }>,
  { signal, limitMs }: LookLimits,
): Promise<ProbeResult> {
  const { host, port } = check;
  const timeoutMs = Math.min(durationMs(check.timeout, defaultTimeoutMs), limitMs);
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal, timeout: timeoutMs });
    const end = (passed: boolean, message: string) => {
      socket.destroy();
      resolve({ passed, message: `${nameOfCheck(check)}: ${message}` });
    };
    socket.once("connect", () => end(true, "connected"));
    socket.once("timeout", () => end(false, `no connection within ${timeoutMs} ms`));
    socket.once("error", (error) => end(false, error.message));
  });
}

/** One GET, redirects not followed, body read and dropped up to a limit. */
export async function probeHttp(
  check: Extract<Check, { type: "http" }>,
  { signal, limitMs }: LookLimits,
): Promise<ProbeResult> {
  const { Agent, request } = await import("undici");
  const named = nameOfCheck(check);
  const timeoutMs = Math.min(durationMs(check.timeout, defaultTimeoutMs), limitMs);
  const late = AbortSignal.timeout(timeoutMs);
  const dispatcher = new Agent({ maxResponseSize: 1024 * 1024, connect: { timeout: timeoutMs } });
  try {
    const response = await request(check.url, {
      dispatcher,
      signal: AbortSignal.any([signal, late]),
      headers: { "user-agent": "firstlight" },
    });
    await response.body.dump({ limit: 1024 * 1024 });
    const status = response.statusCode;
    const passed =
      check.status === undefined ? status >= 200 && status < 300 : status === check.status;
    return {
      passed,
      message: `${named}: status ${status}, expected ${check.status ?? "2xx"}`,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const why = late.aborted ? `no answer within ${timeoutMs} ms` : reason;
    return { passed: false, message: `${named}: ${why}` };
  } finally {
    await dispatcher.destroy();
  }
}

/** A look-up by the machine's own way (nsswitch, resolver), as `getent` does it. */
export async function probeDns(
  io: Io,
  check: Extract<Check, { type: "dns" }>,
  { signal, limitMs }: LookLimits,
): Promise<ProbeResult> {
  const timeoutMs = Math.min(durationMs(check.timeout, defaultTimeoutMs), limitMs);
  const result = await io.exec({ file: "getent", args: ["ahosts", check.name], timeoutMs, signal });
  const [address = ""] = result.stdout.trim().split(/\s+/);
  const passed = result.code === 0 && address !== "";
  const why = result.timedOut ? `no answer within ${timeoutMs} ms` : "it has no address";
  return { passed, message: `${nameOfCheck(check)}: ${passed ? address : why}` };
}
