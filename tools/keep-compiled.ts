import { readFileSync, writeFileSync } from "node:fs";
import vm from "node:vm";
import { compiledSuffix, digestOfCompiled } from "#cli/chunk-loader.ts";

// Loaded before a program of the bundle (`--import`): at its end, what V8 has compiled of each chunk
// is written beside it. With what was there already, so that one run after another adds to it.

const scripts = new Map<string, vm.Script>();

vm.Script = class extends vm.Script {
  constructor(source: string, options: vm.ScriptOptions) {
    super(source, options);
    if (options.filename !== undefined) scripts.set(options.filename, this);
  }
};

process.on("exit", () => {
  for (const [file, script] of scripts) {
    const compiled = script.createCachedData();
    const digest = digestOfCompiled(readFileSync(file), compiled);
    writeFileSync(`${file}${compiledSuffix}`, Buffer.concat([digest, compiled]));
  }
});
