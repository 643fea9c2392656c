import type { Code } from "./codes.ts";
import type { Finding } from "./finding.ts";

/** What a fault carries beside its message. */
export interface FaultOptions {
  /** One sentence that says what to do; the code's own entry is shown when absent. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Findings that led to it, when the input itself is at fault. */
  readonly findings?: readonly Finding[];
}

/**
 * The one error class. The code is the contract (see `codes.ts`); the message says who, what was
 * expected and what came, in lower case, and never holds a secret.
 */
export class Fault<C extends Code = Code> extends Error {
  readonly code: C;
  readonly hint: string | undefined;
  readonly findings: readonly Finding[];

  constructor(code: C, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.hint = options.hint;
    this.findings = options.findings ?? [];
  }
}

/** Whether `error` is a fault, and with this code where one is given. */
export function isFault<C extends Code>(error: unknown, code?: C): error is Fault<C> {
  return error instanceof Fault && (code === undefined || error.code === code);
}

/** Whether one of the texts says the same, or more around it. */
function isSaid(text: string, texts: readonly string[]): boolean {
  return texts.some((each) => each.includes(text));
}

/** A fault as plain data, for reports and `--json`. */
export interface FaultRecord {
  readonly code: Code;
  readonly message: string;
  readonly hint: string | null;
  readonly causes: readonly string[];
}

/** Describes any thrown value as a {@link FaultRecord}; what is no fault becomes `cli/internal`. A cause whose words were said already is left out. */
export function describeFault(error: unknown): FaultRecord {
  const causes: string[] = [];
  const message = error instanceof Error ? error.message : String(error);
  let cause = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause !== undefined && depth < 8; depth++) {
    const said = cause instanceof Error ? cause.message : String(cause);
    if (!isSaid(said, [message, ...causes])) causes.push(said);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (error instanceof Fault) {
    return { code: error.code, message, hint: error.hint ?? null, causes };
  }
  return { code: "cli/internal", message, hint: null, causes };
}
