import { maxRecords, reservedRecords } from "#agent/update/next.ts";
import {
  answerOf,
  effectOf,
  eventNames,
  isOver,
  isUntouched,
  stateNames,
} from "#agent/update/transitions.ts";
import type { EventName, StateName } from "#agent/update/update-state.ts";

const introduction = `# States of an update

An update of the fleet is in one of these states on a node. Each change of state is a line of the ledger
before what the new state asks for is done; an event that does not fit changes nothing. What the
states mean, and what a person can say to an update: [updates.md](updates.md).

An update has at most ${maxRecords} lines. One that would need more ends as \`FAILED\`, as long as nothing of the
machine was touched; ${reservedRecords} lines are kept for what was begun.

This page is made from \`agent/update/transitions.ts\` by \`npm run docs\`.
`;

/** Out of every state that has them: they would hide the way. */
const aside: readonly EventName[] = ["cancel", "supersede", "expire", "pause", "exhausted"];

/** `docs/update-states.md`: the diagram, what each state asks for, and the answer of every state to every event. */
export function updateStatesPage(): string {
  return [introduction, diagram(), asides(), states(), answers()].join("\n");
}

function diagram(): string {
  const shown = eventNames.filter((event) => !aside.includes(event) && event !== "received");
  const arrows = stateNames.flatMap((from) =>
    stateNames.flatMap((to) => {
      const events = shown.filter((event) => answerOf(from, event) === to);
      return events.length === 0 ? [] : [`    ${from} --> ${to}: ${events.join(", ")}\n`];
    }),
  );
  const lines = ["    [*] --> IDLE\n", "    IDLE --> RECEIVED: received\n", ...arrows];
  return `## The diagram\n\n\`\`\`mermaid\nstateDiagram-v2\n${lines.join("")}\`\`\`\n`;
}

function asides(): string {
  const from = (event: EventName, to: StateName) =>
    stateNames.filter((state) => answerOf(state, event) === to).map((state) => `\`${state}\``);
  const rows = aside.flatMap((event) => {
    const answers = new Set(stateNames.map((state) => answerOf(state, event)));
    return stateNames
      .filter((to) => answers.has(to))
      .map((to) => `| ${event} | ${from(event, to).join(", ")} | \`${to}\` |\n`);
  });
  return `Not drawn are what persons, the fleet and time do to an update, and \`received\`, by which the next one
begins where one is over.

| event | from | to |
|---|---|---|
${rows.join("")}`;
}

function states(): string {
  const rows = stateNames.map((state) => {
    const over = isOver(state) ? "over" : isUntouched(state) ? "untouched" : "touched";
    return `| \`${state}\` | ${effectOf(state) ?? "–"} | ${over} |\n`;
  });
  return `## What each state asks for

Each is done again after a kill, and comes to the same. Before a machine is touched an update can be dropped.

| state | asks for | the machine |
|---|---|---|
${rows.join("")}`;
}

function answers(): string {
  const rows = stateNames.map((state) => {
    const fitting = eventNames.flatMap((event) => {
      const answer = answerOf(state, event);
      return answer === "misfit" ? [] : [`${event} → \`${answer}\``];
    });
    return `| \`${state}\` | ${fitting.join(", ")} |\n`;
  });
  return `## Every answer

Every other event is a misfit.

| state | events that fit, and what follows |
|---|---|
${rows.join("")}`;
}
