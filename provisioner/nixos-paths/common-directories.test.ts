import t from "tap";
import { systemDirectoryOf } from "./common-directories.ts";

t.test("the directory of the system that a file lies in, however deep", async (t) => {
  for (const [path, directory] of [
    ["/file", "/"],
    ["/data/a/b", "/"],
    ["/opt/file", "/opt"],
    ["/opt/app/conf", "/opt"],
    ["/srv/www/a/index.html", "/srv"],
    ["/usr/local/bin/tool", "/usr/local/bin"],
    ["/usr/local/app/bin/tool", "/usr/local"],
    ["/var/lib/app/state", "/var/lib"],
    ["/var/www/html/a", "/var"],
    ["/var/spool/mail/alice", "/var/spool/mail"],
    ["/etc/app/conf", "/etc"],
    ["/home/alice/.config/a", "/home"],
    ["/optional/a/b", "/"],
  ] as const)
    t.equal(systemDirectoryOf(path), directory, path);
});
