// Preloaded by `--import`: at its end the process writes its own diagnostic report (process.report) into the
// directory that WRITE_REPORTS names.
const directory = process.env["WRITE_REPORTS"];
if (directory !== undefined) {
  process.on("exit", () => {
    process.report.directory = directory;
    process.report.writeReport(`report-${process.pid}.json`);
  });
}
