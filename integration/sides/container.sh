# Boots systemd in a container on top of this host's own files, in namespaces of its own: run it by
# `unshare --mount`. $1: an empty directory; $2: files to lay over the host's; $3: the checkout;
# $4: where the container's /var/result goes; after that options of systemd-nspawn.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
# The host's own services are not the container's.
rm -rf "$1/root/etc/systemd/system" "$1/root/nix" "$1/root/var/lib/firstlight" "$1/root/etc/nixos"
cp -a "$2/." "$1/root/"
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
scratch=$1 checkout=$3 result=$4
shift 4
code=133 # of a container that wants to be booted again
while [ "$code" = 133 ]; do
  code=0
  systemd-nspawn --quiet --register=no --keep-unit --directory="$scratch/root" --boot --machine=firstlight-sides \
    --console=read-only --private-network --bind-ro="$checkout:/opt/firstlight" "$@" -- \
    systemd.unit=basic.target || code=$?
done
cp -a "$scratch/upper/var/result" "$result" || true
exit $code
