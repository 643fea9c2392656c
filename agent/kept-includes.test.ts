import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { keptIncludes, keptIncludesDirectory } from "./kept-includes.ts";

t.test("what was included once stays for its instance, and goes with it", async (t) => {
  const io = fakeIo(t.testdir());
  const first = keptIncludes(io, "i-1");
  t.equal(await first.read("https://a.example/a"), undefined);
  await first.keep("https://a.example/a", Buffer.from("secret"));
  t.same(await keptIncludes(io, "i-1").read("https://a.example/a"), Buffer.from("secret"));
  t.equal(await first.read("https://a.example/b"), undefined);
  const [scope = ""] = io.files.list(keptIncludesDirectory);
  const [file = ""] = io.files.list(`${keptIncludesDirectory}/${scope}`);
  t.notMatch(file, /example/, "its name says nothing of the address");
  t.match(io.files.stat(`${keptIncludesDirectory}/${scope}/${file}`), { mode: 0o400 });
  const second = keptIncludes(io, "i-2");
  t.equal(await second.read("https://a.example/a"), undefined);
  await second.keep("https://a.example/b", Buffer.from("other"));
  t.equal(await first.read("https://a.example/a"), undefined, "of the other one nothing is left");
  t.equal(io.files.list(keptIncludesDirectory).length, 1);
});
