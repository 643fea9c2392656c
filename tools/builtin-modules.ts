import type { Plugin } from "rolldown";

const line = /^import (?:([\w$]+)|\* as ([\w$]+))?(?:, )?(?:\{ ([^}]+) \})? from "(node:[\w/]+)";$/;

/**
 * Takes Node's own modules without `import`, which reads every export of such a module once: those
 * that are made when they are read (`fs.promises`, half of `util`) load sixty modules more, a third of
 * a short program's time. See `process.getBuiltinModule` in Node's documentation.
 */
export function builtinModules(): Plugin {
  return {
    name: "builtin-modules",
    renderChunk: (code) => ({ code: takeBuiltins(code), map: null }),
  };
}

/** The text of a chunk, each of its lines where it was: its source map still fits. */
export function takeBuiltins(code: string): string {
  const lines = code.split("\n");
  for (const [index, text] of lines.entries()) {
    if (text !== "" && !/^(?:import |\/\/|#!)/.test(text)) break;
    lines[index] = takeBuiltin(text);
  }
  return lines.join("\n");
}

function takeBuiltin(text: string): string {
  const [, byDefault, namespace, named, module] = line.exec(text) ?? [];
  if (module === undefined) return text;
  const from = `process.getBuiltinModule("${module}")`;
  const whole = [byDefault, namespace].filter((name) => name !== undefined);
  const parts = named === undefined ? [] : [`{ ${named.replaceAll(" as ", ": ")} }`];
  const names = [...whole, ...parts].map((name) => `${name} = ${from}`);
  return names.length === 0 ? text : `const ${names.join(", ")};`;
}
