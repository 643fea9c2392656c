import { Fault } from "#core/fault.ts";
import type { SystemEvent } from "../system.ts";
import { parseLine } from "./lines.ts";
import type { PaceLimit } from "./pace.ts";
import { sidesVersion } from "./places.ts";

/** What may be asked at one socket, and how much of it. */
export interface Door<R extends Asked = Asked> {
  readonly name: "operator" | "courier";
  readonly limits: DoorLimits;
  /** What a line asks. Throws `side/refused`, `side/version`. */
  read(line: Uint8Array): R;
  /** Begins a connection's work, with its first request. */
  open(): Promise<DoorSession<R>>;
}

export interface DoorLimits {
  /** Of one message. */
  readonly maxBytes: number;
  /** Open at once. */
  readonly connections: number;
  /** From the connection's begin to its first message. */
  readonly firstMs: number;
  /** From an answer to the next message; `null`: as long as it likes. */
  readonly idleMs: number | null;
  /** Messages of all connections together; absent: as many as come. */
  readonly pace?: PaceLimit;
}

/** A request of any door. */
export interface Asked {
  readonly kind: string;
}

/** One connection's work, as one process would do it. */
export interface DoorSession<R> {
  /** The result; progress goes to `onEvent`. The signal calls building off. */
  answer(request: R, onEvent: (event: SystemEvent) => void, signal: AbortSignal): Promise<unknown>;
  /** Gives back what the session held; nothing of it is under way any more. */
  close(): void;
}

/** A validator module as `npm run generate` makes it. */
export interface AskValidator<A> {
  readonly validate: {
    (value: unknown): value is A;
    errors?: readonly Complaint[] | null;
  };
  readonly knownKeys: Readonly<Record<string, readonly string[]>>;
}

interface Complaint {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** The request of a line that fits the door's schema. Throws `side/refused`, `side/version`. */
export function readAsk<A extends { readonly request: Asked }>(
  validator: AskValidator<A>,
  line: Uint8Array,
): A["request"] {
  const value = parseLine(line);
  if (validator.validate(value)) return value.request;
  const { v, request } = (value ?? {}) as { readonly v?: unknown; readonly request?: unknown };
  if (typeof v === "number" && v !== sidesVersion) {
    throw new Fault("side/version", `expected version ${sidesVersion}, got ${v}`);
  }
  throw new Fault("side/refused", describe(validator, request));
}

/** The first few complaints, of those about the kind that was meant. */
function describe<A>({ validate, knownKeys }: AskValidator<A>, request: unknown): string {
  const errors = validate.errors ?? [];
  const outside = errors.filter(({ instancePath }) => !instancePath.startsWith("/request"));
  const kind = (request as { readonly kind?: unknown } | null | undefined)?.kind;
  const branch = `#/$defs/${kind}`;
  const isKnown = Object.hasOwn(knownKeys, branch) && knownKeys[branch]?.includes("kind") === true;
  if (outside.length === 0 && !isKnown) {
    const shown = JSON.stringify(kind ?? null).slice(0, 64);
    return `expected a kind of request that this door takes, got ${shown}`;
  }
  const inside = errors.filter(
    ({ instancePath, schemaPath }) =>
      schemaPath.startsWith(`${branch}/`) || /^\/request\/[^/]+\//.test(instancePath),
  );
  const texts = new Set([...outside, ...(isKnown ? inside : [])].map(complaint));
  return [...texts].slice(0, 3).join("; ");
}

function complaint({ instancePath, params, message = "does not fit" }: Complaint): string {
  const key = params["additionalProperty"];
  const named = typeof key === "string" ? ` ${JSON.stringify(key.slice(0, 64))}` : "";
  return `${instancePath || "/"} ${message}${named}`;
}
