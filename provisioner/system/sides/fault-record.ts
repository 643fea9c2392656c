import { type Code, codes } from "#core/codes.ts";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Answer } from "#generated/provisioner/system/sides/answer.ts";

/** A fault as it goes over the socket. */
export type SideFault = Extract<Answer, { type: "fault" }>["fault"];

const maxCauses = 16;
const maxFindings = 10_000;

/** Any thrown value as it goes over the socket; only what a {@link Fault} may say anyway. */
export function writeFault(error: unknown): SideFault {
  const { code, message, hint, causes } = describeFault(error);
  const findings = isFault(error) ? error.findings.slice(0, maxFindings) : [];
  return {
    code,
    message,
    hint,
    causes: causes.slice(0, maxCauses),
    findings: findings.map((finding) => ({ ...finding })),
  };
}

/** The same fault on the other side. A code of a newer version keeps its name in the message. */
export function readFault({ code, message, hint, causes, findings }: SideFault): Fault {
  const known = isCode(code);
  return new Fault(known ? code : "side/version", known ? message : `${code}: ${message}`, {
    ...(hint === null ? {} : { hint }),
    ...(causes.length === 0 ? {} : { cause: causeOf(causes) }),
    findings: findings.flatMap((finding) => (isCode(finding.code) ? [finding as Finding] : [])),
  });
}

function isCode(code: string): code is Code {
  return Object.hasOwn(codes, code);
}

/** The chain of causes as it was thrown. */
function causeOf(causes: readonly string[]): Error | undefined {
  return causes.reduceRight<Error | undefined>(
    (cause, message) => new Error(message, cause === undefined ? undefined : { cause }),
    undefined,
  );
}
