import { exitCodes } from "#agent/outcome.ts";
import type { Command } from "#cli/command.ts";
import { commands } from "#cli/commands.ts";
import { globalFlags } from "#cli/global-options.ts";

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "done, or there was nothing to do",
  error: "an error; its code and `firstlight explain CODE` say what to do",
  degraded: "done, but something that was asked for was not",
  rolledBack: "rolled back: what ran before runs again",
  invalidInput: "the input or the command line is invalid",
  tryAgain: "try again: something else is at work, is not reached now, or the machine restarts",
  refused:
    "held or refused: by policy, for want of a signature, or because an approved plan is stale",
};

const introduction = `# Commands

\`firstlight COMMAND --help\` says the same. Data goes to stdout, talk to stderr.

This page is made from \`cli/commands/\` by \`npm run docs\`.
`;

/** `docs/commands.md`: every command that a person may call, in the order of \`--help\`. */
export async function commandsPage(): Promise<string> {
  const shown = Object.entries(commands).filter(([, { hidden }]) => hidden !== true);
  const sections = shown.map(async ([name, { load }]) => section(name, (await load()).command));
  const flags = globalFlags.map(([flag, does]) => `| \`${flag}\` | ${does} |\n`);
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${meanings[name as keyof typeof exitCodes]} |\n`,
  );
  return [
    introduction,
    `Every command takes:\n\n| flag | |\n|---|---|\n${flags.join("")}`,
    `Exit codes, unless a command says otherwise:\n\n| code | |\n|---|---|\n${codes.join("")}`,
    ...(await Promise.all(sections)),
  ].join("\n");
}

function section(name: string, { usage, summary, help }: Command): string {
  const more = help === undefined ? "" : `\n\n${help.trimEnd()}`;
  return `## ${name}\n\n${summary}\n\n\`\`\`text\nfirstlight ${usage}${more}\n\`\`\`\n`;
}
