import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";

const state = "var/lib/firstlight";

/** A node with three generations, each with a secret of its own; the last one runs. */
export async function grownNode(t: { teardown(close: () => void): unknown }): Promise<StoryNode> {
  const settings = {
    stateVersion: "25.11",
    generations: { keep: 1, garbage: "always", collectAt: "Sat 04:00" },
  };
  const node = await storyNode(t, { settings });
  for (const motd of ["one", "two", "three"]) {
    const release = `  update: { release: release-${motd} }\n`;
    const userData = cloudConfig({ motd }).replace("firstlight:\n", `firstlight:\n${release}`);
    node.insert("iso", { instanceId: "i-1", userData });
    const { code, stderr } = await node.firstlight(["boot"]);
    if (code !== 0) throw new Error(`boot: ${code}\n${stderr}`);
  }
  return node;
}

const names = ({ machine }: StoryNode, directory: string) =>
  readdirSync(path.join(machine.root, directory)).filter((name) => !name.startsWith("."));

/** Secrets that the units of a generation load and the steps of its activation read. */
function secretsOf({ machine }: StoryNode, system: string): readonly string[] {
  const file = path.join(machine.root, system, "etc/firstlight/generation.json");
  const inside = machine.io().files.readText(`${system}/etc/firstlight/generation.json`);
  const text = inside ?? readFileSync(file, "utf8");
  return (JSON.parse(text) as { readonly credentials: readonly string[] }).credentials;
}

/** What is wrong after a collection that has ended. */
export function wrongAfterCollection(node: StoryNode, lost: string): readonly string[] {
  const { machine } = node;
  const generations = machine.profileGenerations();
  const kept = generations.map(({ number }) => number).join(" ");
  const secrets = new Set(generations.flatMap(({ system }) => secretsOf(node, system)));
  const there = names(node, `${state}/credentials`);
  return [
    ...(kept === "2 3" ? [] : [`generations ${kept} are left`]),
    ...there.filter((name) => !secrets.has(name)).map((name) => `the secret ${name} is left`),
    ...[...secrets].filter((name) => !there.includes(name)).map((name) => `${name} is gone`),
    ...(names(node, `${state}/sources`).length === 2 ? [] : ["sources are left"]),
    ...(existsSync(path.join(machine.root, `${state}/collecting.json`)) ? ["it is marked"] : []),
    ...(machine.bootDefault() === machine.currentSystem() ? [] : ["another boot default"]),
    ...(existsSync(path.join(machine.root, lost)) ? [`${lost} is left in the store`] : []),
  ];
}
