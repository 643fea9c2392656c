import { durationMs } from "#core/duration.ts";
import type { Hook } from "#generated/provisioner/spec/v1.ts";
import { addFinding, type Concern } from "./assignment.ts";

/** What is run around a change, as its system knows it. */
export interface HookRecord {
  readonly name: string;
  readonly when: Hook["when"];
  /** Program and arguments; empty where it is a script. */
  readonly command: readonly string[];
  /** A script's credential; `null` where it is a command. */
  readonly script: HookScript | null;
  readonly timeoutMs: number;
  /** Whether nothing is activated when it fails; only of `pre-update`. */
  readonly aborts: boolean;
}

export interface HookScript {
  /** Name of the credential, and its file. */
  readonly name: string;
  readonly file: string;
  readonly encrypted: boolean;
  readonly shell: "sh" | "bash";
}

const defaultTimeoutMs = 300_000;

/** Every hook that says what to run, in the order of the spec. */
export function hookRecords({
  spec,
  credentials,
}: Pick<Concern, "spec" | "credentials">): readonly HookRecord[] {
  return (spec.hooks ?? []).filter(isClear).map((hook) => {
    const file = credentials.get(hook.script?.secretRef ?? "");
    return {
      name: hook.name,
      when: hook.when,
      command: hook.command ?? [],
      script:
        hook.script === undefined || file === undefined
          ? null
          : {
              name: file.name,
              file: file.file,
              encrypted: file.encrypted,
              shell: hook.interpreter ?? "sh",
            },
      timeoutMs: durationMs(hook.timeout, defaultTimeoutMs),
      aborts: hook.when === "pre-update" && hook.onFailure !== "warn",
    };
  });
}

/** Says of hooks what cannot be done. */
export function checkHooks(concern: Concern): void {
  for (const [index, hook] of (concern.spec.hooks ?? []).entries()) {
    const path = ["hooks", String(index)];
    if (!isClear(hook)) {
      const message = "expected either `command` or `script`";
      const hint = "write `command: [true]`, or `script:` with a text, and not both";
      addFinding(concern, path, "error", "render/hook-unclear", message, hint);
    }
    if (hook.when !== "pre-update" && hook.onFailure === "abort") {
      const message = `nothing can be called off any more by a hook that runs ${hook.when}`;
      const hint = "leave `onFailure` out: its failure is told of";
      addFinding(
        concern,
        [...path, "onFailure"],
        "warning",
        "render/hook-cannot-abort",
        message,
        hint,
      );
    }
  }
}

function isClear({ command, script }: Hook): boolean {
  return (command === undefined) !== (script === undefined);
}
