import t from "tap";
import { networkOf, peerPace } from "./peer-pace.ts";

t.test("one address is slowed down, and the others are not", (t) => {
  const pace = peerPace();
  const allowed = (peer: string, nowMs: number, times: number) =>
    Array.from({ length: times }, () => pace.allows(peer, nowMs)).filter(Boolean).length;
  t.equal(allowed("192.0.2.1", 0, 200), 60);
  t.equal(allowed("192.0.2.2", 0, 10), 10);
  t.equal(allowed("192.0.2.1", 5_000, 200), 10, "two a second come back");
  t.equal(allowed("192.0.2.1", 4_000, 10), 0, "a clock that is set back gives nothing");
  t.equal(allowed("192.0.2.1", 3_600_000, 200), 60, "and no more than the first time");
  for (let n = 0; n < 20_000; n++) pace.allows(`198.51.100.${n}`, 3_600_000);
  t.equal(allowed("192.0.2.1", 3_600_000, 200), 60, "whoever has not asked for long is forgotten");
  t.end();
});

t.test("a network of IPv6 counts as one", (t) => {
  t.equal(networkOf("192.0.2.1"), "192.0.2.1");
  t.equal(networkOf("::ffff:192.0.2.1"), "192.0.2.1");
  t.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
  t.equal(networkOf("2001:db8:1:2::6"), "2001:db8:1:2");
  t.equal(networkOf("2001:db8::1"), "2001:db8:0:0");
  t.equal(networkOf("::1"), networkOf("::2"));
  t.end();
});
