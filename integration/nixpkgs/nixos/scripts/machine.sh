# Where the machine is that this system is for. A system of the stand-in never touches its host:
# it works on the directory named by STAND_IN_ROOT, or by the file that the test machine left beside
# its store, and refuses without one. Only where that file says `/`, as the image of a machine of its
# own does (integration/boot), it works on what it runs on.
state=${system%/store/*}/var/stand-in
ROOT=${STAND_IN_ROOT:-$(cat "$state/root" 2>/dev/null)}
case $ROOT in
/) ROOT= ;;
/?*) ;;
*) echo "this system is of the stand-in for nixpkgs: set STAND_IN_ROOT to the machine's directory" >&2; exit 1 ;;
esac
mkdir -p "$ROOT/run/nixos" "$ROOT/var/log" "$ROOT/etc" "$ROOT/boot"

# Runs a command that sees the machine's /etc, /run, /var and /boot at their places.
inside() {
  if [ -z "$ROOT" ]; then "$@"; return; fi
  unshare="unshare --mount --uts"
  if [ "$(id -u)" != 0 ]; then unshare="$unshare --map-root-user"; fi
  $unshare sh -ec '
    root=$1; shift
    for directory in etc run var boot; do
      if [ -d "/$directory" ]; then mount -n --bind "$root/$directory" "/$directory"; fi
    done
    exec "$@"' inside "$ROOT" "$@"
}

# Whether units are to be started and stopped by a real systemd.
has_systemd() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }
