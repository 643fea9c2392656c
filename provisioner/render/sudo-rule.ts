/**
 * What may stand before a command
 * (https://www.sudo.ws/docs/man/sudoers.man/, "Tag_Spec" and "Option_Spec").
 */
const tags =
  /^(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|FOLLOW|MAIL|INTERCEPT)[ \t]*:[ \t]*/;
const options =
  /^(?:ROLE|TYPE|PRIVS|LIMITPRIVS|APPARMOR_PROFILE|CWD|CHROOT|TIMEOUT|NOTBEFORE|NOTAFTER)=\S+[ \t]+/;

/** An alias or `ALL`, `sudoedit` and `list`, a path with its arguments; a digest may stand before a path. */
const command =
  /^(?:![ \t]*)*(?:[A-Z][A-Z0-9_]*$|(?:sudoedit|list)(?:[ \t]|$)|(?:sha(?:224|256|384|512):\S+[ \t]+)?[/^])/;

const hosts = /^[^\s=,(]+(?:[ \t]*,[ \t]*[^\s=,(]+)*[ \t]*=/;
/** Users, groups after a colon; either may be missing, and none of a list. */
const names = "[^\\s,:()]+(?:[ \\t]*,[ \\t]*[^\\s,:()]+)*";
const runAs = new RegExp(
  `^\\([ \\t]*(?:${names})?[ \\t]*(?::[ \\t]*(?:${names})?)?[ \\t]*\\)[ \\t]*`,
);

/**
 * Whether a text can be a rule of sudo without its user: `HOSTS = (WHO) TAG: COMMAND, …`. Only what sudo
 * is sure to refuse is none, for it refuses the whole file then.
 */
export function isSudoRule(text: string): boolean {
  const head = hosts.exec(text)?.[0];
  if (head === undefined) return false;
  return text
    .slice(head.length)
    .split(/(?<!\\),(?![^(]*\))/)
    .every(isCommand);
}

function isCommand(item: string): boolean {
  const spoken = item.trim().replace(runAs, "");
  return command.test(withoutTags(spoken));
}

function withoutTags(text: string): string {
  const rest = text.replace(tags, "").replace(options, "");
  return rest === text ? text : withoutTags(rest);
}
