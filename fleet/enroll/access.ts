import { type NodeAddress, nodeTopics, type TopicName, topicRules } from "#protocol/topics.ts";

/**
 * What mosquitto lets a node do, as lines of its `acl_file`: write what goes from the node to the fleet,
 * read what goes the other way, below its own name and nowhere else. The user is the common name of its
 * certificate (`use_identity_as_username`). Everything that is not named is denied.
 */
export function mosquittoAccess(address: NodeAddress): readonly string[] {
  const topics = nodeTopics(address);
  const names = Object.keys(topicRules) as readonly TopicName[];
  const lines = names.map((name) => {
    const { direction, parameter } = topicRules[name];
    const topic = `${topics.of("status").replace(/\/status$/, "")}/${name}${parameter === null ? "" : "/+"}`;
    return `topic ${direction === "node-to-fleet" ? "write" : "read"} ${topic}`;
  });
  return [`user ${address.node}`, ...lines];
}
