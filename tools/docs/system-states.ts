import type { StateName } from "#provisioner/system/transaction-state.ts";
import {
  answerOf,
  beginnings,
  type EventName,
  eventNames,
  stateNames,
} from "#provisioner/system/transitions.ts";

const introduction = `# States of a change

What the journal leaves open is in one of these states. Before each step its beginning is written
down, and after it how it ended; each such record is an event. An event that does not fit into the
state, or belongs to another transaction, is a misfit: it changes nothing. The boot default changes
in \`committing\` and \`rolling-back\` and nowhere else.

This page is made from \`provisioner/system/transitions.ts\` by \`npm run docs\`.
`;

/** `docs/system-states.md`: the diagram, and the answer of every state to every event. */
export function systemStatesPage(): string {
  return [introduction, diagram(), answers()].join("\n");
}

function diagram(): string {
  const arrows = stateNames.flatMap((from) =>
    stateNames
      .filter((to) => to !== from)
      .flatMap((to) => {
        const events = eventNames.filter((event) => answerOf(from, event) === to);
        return events.length === 0 ? [] : [`    ${id(from)} --> ${id(to)}: ${events.join(", ")}\n`];
      }),
  );
  const names = stateNames
    .filter((state) => id(state) !== state)
    .map((state) => `    state "${state}" as ${id(state)}\n`);
  const lines = [...names, "    [*] --> none\n", ...arrows];
  return `## The diagram\n\n\`\`\`mermaid\nstateDiagram-v2\n${lines.join("")}\`\`\`\n`;
}

/** Mermaid takes no hyphen in the name of a state. */
function id(state: StateName): string {
  return state.replaceAll("-", "_");
}

function answers(): string {
  const head = `| event | ${stateNames.join(" | ")} |\n|---|${stateNames.map(() => "---|").join("")}\n`;
  const rows = eventNames.map((event) => `| ${event} | ${cells(event).join(" | ")} |\n`);
  return `## Every answer

A state that stays as it is says so with its own name; a dash is a misfit. ${[...beginnings].map((event) => `\`${event}\``).join(", ")}
fit by whichever transaction they are said; every other event only by the one that is open.

${head}${rows.join("")}`;
}

function cells(event: EventName): readonly string[] {
  return stateNames.map((state) => {
    const answer = answerOf(state, event);
    return answer === "misfit" ? "–" : answer;
  });
}
