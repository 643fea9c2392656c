/**
 * Bash: `once STAMP WHAT COMMAND…` does something, unless it was the last that was done under this stamp.
 * What changes is done again, also where it changes back: a generation that is gone back to has its own.
 */
export const onceFunction = `# Does something unless it was the last that was done: stamp, a name for it, what to do.
once() (
  set -e
  if [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; then exit 0; fi
  "\${@:3}"
  mkdir -p "\${1%/*}"
  printf '%s\\n' "$2" > "$1.new"
  mv -T "$1.new" "$1"
  sync "$1" "\${1%/*}"
)
`;
