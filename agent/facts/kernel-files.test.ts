import t from "tap";
import { fc } from "#core/fast-check.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { printable } from "./kernel-files.ts";

t.test("text is trimmed and printable, and says what it lost", async (t) => {
  const cases: readonly (readonly [string, string | null, string | null])[] = [
    ["Framework\n", "Framework", null],
    ["", null, null],
    [" \n", null, null],
    ["a\u0000b", "ab", "malformed"],
    ["a\u001b[31mb", "a[31mb", "malformed"],
    ["a\u202eb", "ab", "malformed"],
    ["a\ufffdb", "ab", "malformed"],
    ["\ud800", null, "malformed"],
    ["x".repeat(300), "x".repeat(256), "too-large"],
  ];
  for (const [text, value, damage] of cases)
    t.same(printable(text), { value, damage }, JSON.stringify(text.slice(0, 20)));
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      const { value } = printable(text);
      return (
        value === null ||
        (value === value.trim() && value !== "" && value.length <= 256 && !/\p{C}/u.test(value))
      );
    }),
  );
});

t.test(
  "numbers are numbers, flags are flags, and anything else is unknown and named",
  async (t) => {
    const kernel = fakeKernel(t.testdir({}), {
      "/a": "12\n",
      "/b": "-1\n",
      "/c": "99999999999999999999\n",
      "/d": "\n",
      "/e": "1\n",
      "/f": "0\n",
      "/g": "0x10\n",
    });
    t.same(
      ["/a", "/b", "/c", "/d", "/g", "/none"].map((file) => kernel.number(file)),
      [12, null, null, null, null, null],
    );
    t.same(
      ["/e", "/f", "/none"].map((file) => kernel.flag(file)),
      [true, false, null],
    );
    t.same(
      kernel.unread.map(({ path, why }) => [path, why]),
      [
        ["/b", "malformed"],
        ["/c", "malformed"],
        ["/g", "malformed"],
      ],
    );
  },
);

t.test("a directory that is not there is not an empty one, and a long one is cut", async (t) => {
  const kernel = fakeKernel(t.testdir({}), { "/many/1": "", "/many/2": "", "/many/3": "" });
  t.equal(kernel.list("/none", 10), null);
  t.same(kernel.list("/many", 2), ["1", "2"]);
  t.same(kernel.unread, [{ path: "/many", why: "too-many" }]);
});

t.test("links out of the machine, in circles and to nowhere are unknown", async (t) => {
  const kernel = fakeKernel(t.testdir({}), {
    "/out": "-> ../../../../../../etc/hostname",
    "/round": "-> round",
    "/nowhere": "-> none",
  });
  t.equal(kernel.text("/out"), null);
  t.equal(kernel.text("/round"), null);
  t.equal(kernel.realPath("/nowhere"), null);
  t.equal(kernel.linkName("/nowhere"), "none");
});

t.test(
  "no more than 64 things are named, each once, and that there are more is said",
  async (t) => {
    const kernel = fakeKernel(t.testdir({}), {});
    for (let n = 0; n < 100; n++) kernel.note(`/sys/${n % 80}`, "failed");
    t.equal(kernel.unread.length, 64);
    t.same(kernel.unread.at(-2), { path: "/sys/62", why: "failed" });
    t.same(kernel.unread.at(-1), { path: "/", why: "too-many" });
    const few = fakeKernel(t.testdir({ few: {} }), {});
    for (let n = 0; n < 200; n++) few.note(`/sys/${n % 63}`, "failed");
    t.notOk(
      few.unread.some(({ path }) => path === "/"),
      "63 are all of them",
    );
  },
);
