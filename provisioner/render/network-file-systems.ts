/** Those that systemd mounts when the network is up (`fstype_is_network`), and those of a host. */
const networkTypes =
  /^(?:fuse\.)?(?:9p|afs|ceph|cifs|davfs|gfs2?|glusterfs|lustre|ncpfs?|nfs4?|ocfs2|pvfs2|smb3|smbfs|sshfs|virtiofs)$/;

/** Whether a type of file system comes from another machine. */
export function comesOverNetwork(type: string): boolean {
  return networkTypes.test(type);
}
