import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { nodeTopics, parseTopic, topicNameFault, topicPrefix, topicRules } from "./topics.ts";

const address = { fleet: "shops", node: "edge-17" };

t.test("each topic of the table is built and taken apart again", async (t) => {
  const topics = nodeTopics(address);
  for (const [name, rule] of Object.entries(topicRules)) {
    const topic =
      rule.parameter === null
        ? topics.of(name as Parameters<typeof topics.of>[0])
        : topics.with(name as "event" | "cmd", "boot.finished");
    t.match(topic, new RegExp(`^firstlight/1/shops/edge-17/${name}`));
    t.same(parseTopic(topic), {
      ...address,
      name,
      parameter: rule.parameter === null ? null : "boot.finished",
    });
  }
});

t.test("names that mean something to MQTT are refused", async (t) => {
  for (const name of [
    "",
    "a/b",
    "+",
    "#",
    "a#",
    "a\0b",
    "a\nb",
    "\u0085",
    "$SYS",
    "\ud800",
    "x".repeat(129),
  ]) {
    t.throws(
      () => nodeTopics({ fleet: name, node: "n" }),
      { code: "link/name-invalid" },
      JSON.stringify(name),
    );
    t.throws(
      () => nodeTopics({ fleet: "f", node: name }),
      { code: "link/name-invalid" },
      JSON.stringify(name),
    );
    t.throws(
      () => nodeTopics(address).with("event", name),
      { code: "link/name-invalid" },
      JSON.stringify(name),
    );
  }
});

t.test("what is no topic of ours is not taken apart", async (t) => {
  for (const topic of [
    "",
    "firstlight/1",
    "firstlight/2/f/n/status",
    "firstlight/1/f/n",
    "firstlight/1/f/n/unknown",
    "firstlight/1/f/n/constructor",
    "firstlight/1/f/n/status/more",
    "firstlight/1/f/n/event",
    "firstlight/1/f/n/event/",
    "firstlight/1/f/n/event/a/b",
    "firstlight/1//n/status",
    "firstlight/1/f/+/status",
    "firstlight/1/f/#",
  ]) {
    t.equal(parseTopic(topic), undefined, topic);
  }
});

t.test(
  "any name is either refused or comes back unchanged, and any text is parsed without a throw",
  async () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (fleet, node) => {
        const good = topicNameFault(fleet) === undefined && topicNameFault(node) === undefined;
        try {
          const parsed = parseTopic(nodeTopics({ fleet, node }).of("status"));
          return good && parsed?.fleet === fleet && parsed.node === node;
        } catch (error) {
          return !good && isFault(error, "link/name-invalid");
        }
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (rest) => parseTopic(`${topicPrefix}/${rest}`)?.name !== null,
      ),
    );
  },
);
