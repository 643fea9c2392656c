import { endProcess } from "./end-process.ts";
import { run } from "./run.ts";

endProcess(await run(process.argv.slice(2)));
