// Preloaded by `--import`: at its end, and again and again until then, the process writes its own diagnostic
// report (process.report) into the directory that WRITE_REPORTS names.
import { writeFileSync } from "node:fs";
import path from "node:path";

const everyMs = 20;
const directory = process.env["WRITE_REPORTS"];
if (directory !== undefined) {
  // The names of peers would be asked of a resolver. Node's types do not know it yet.
  Object.assign(process.report, { excludeNetwork: true });
  let count = 0;
  const write = () => {
    count += 1;
    const file = path.join(directory, `report-${process.pid}-${count}.json`);
    writeFileSync(file, JSON.stringify(process.report.getReport()));
  };
  process.on("exit", write);
  setInterval(write, everyMs).unref();
}
