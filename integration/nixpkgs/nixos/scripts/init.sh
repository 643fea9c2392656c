# What the boot loader starts as the first process: the second stage of NixOS. The machine has a
# Debian below it, whose systemd reads the units of /etc before its own.
if [ -n "$ROOT" ]; then echo "this system boots only on a machine of its own" >&2; exit 1; fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mounted() { mountpoint -q "$2" || mount -n -t "$1" -o "$3" "$1" "$2"; }
mounted proc /proc nosuid,nodev,noexec
mounted sysfs /sys nosuid,nodev,noexec
mounted tmpfs /run nosuid,nodev,mode=755
mount -n -o remount,rw / 2>/dev/null # a root on a disk may still be read-only
echo "booting $system"
"$system/activate" || echo "the activation of $system failed in part" >&2
ln -sfn "$system" /run/booted-system
exec /lib/systemd/systemd "$@"
