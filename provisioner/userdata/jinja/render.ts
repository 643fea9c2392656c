import { isFault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import type { TemplateAnswer, TemplateRequest } from "./child.ts";

/** Long for a template that ends, and not for a boot. */
const timeoutMs = 10_000;
const graceMs = 500;
const maxOutputBytes = 32 * 1024 * 1024;

/**
 * Renders a template in a process of its own (`argv`: this program with a hidden command), which has a
 * deadline and little memory: what a template asks for ends there. Never throws.
 */
export async function renderInChild(
  io: Pick<Io, "exec">,
  argv: readonly [string, ...string[]],
  request: TemplateRequest,
): Promise<TemplateAnswer> {
  const [file, ...args] = argv;
  try {
    const stdin = JSON.stringify(request);
    const result = await io.exec({ file, args, stdin, timeoutMs, graceMs, maxOutputBytes });
    return answerOf(result);
  } catch (error) {
    if (!isFault(error)) throw error;
    return { kind: "limits", problem: error.message };
  }
}

function answerOf({ stdout, timedOut, code, signal }: ExecResult): TemplateAnswer {
  if (timedOut) return { kind: "limits", problem: `it was not rendered within ${timeoutMs} ms` };
  try {
    return JSON.parse(stdout) as TemplateAnswer;
  } catch {
    return {
      kind: "limits",
      problem: `rendering it takes too much memory (ended with ${code ?? signal})`,
    };
  }
}
