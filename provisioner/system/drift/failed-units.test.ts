import t from "tap";
import { parseFailedSince, parseFailedUnits, parseUptime } from "./failed-units.ts";

// As systemd 252 prints them.
const listed = `nginx.service           loaded failed failed Nginx Web Server
dev-disk-by\\x2dlabel.swap loaded failed failed /dev/disk/by-label
`;
const shown = `Id=nginx.service
InactiveEnterTimestampMonotonic=61000000

Id=dev-disk-by\\x2dlabel.swap
InactiveEnterTimestampMonotonic=0
`;

t.test("units that have failed, and how long ago", async (t) => {
  const units = parseFailedUnits(listed);
  t.same(units, ["nginx.service", "dev-disk-by\\x2dlabel.swap"]);
  const uptimeMs = parseUptime("100.50 180.11\n");
  t.equal(uptimeMs, 100_500);
  t.same(parseFailedSince(units, shown, uptimeMs), [
    { unit: "nginx.service", agoMs: 39_500 },
    { unit: "dev-disk-by\\x2dlabel.swap", agoMs: null },
  ]);
  t.same(
    parseFailedSince(units, shown, parseUptime(undefined)).map(({ agoMs }) => agoMs),
    [null, null],
  );
});

t.test("output that is none leads to no units", async (t) => {
  t.same(parseFailedUnits(""), []);
  t.same(parseFailedUnits("\n \n0 loaded units listed.\n").slice(1), []);
  t.same(parseFailedUnits("a;b loaded failed failed"), []);
  t.same(parseFailedSince(["a.service"], "garbage", 1), [{ unit: "a.service", agoMs: null }]);
});
