# A router of IPv6 that tells machines of itself and of the prefix of their addresses (RFC 4861): no
# socket of Node sends ICMPv6. Started as `router.pl INTERFACE PREFIX`.
use strict;
use warnings;
use Socket qw(AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in6);

my ($interface, $prefix) = @ARGV;
open my $file, '<', "/sys/class/net/$interface/ifindex" or die "$interface: $!";
chomp(my $index = <$file>);
my ($icmp6, $ipv6, $multicast_if, $multicast_hops) = (58, 41, 17, 18);
socket my $socket, AF_INET6, SOCK_RAW, $icmp6 or die "socket: $!";
setsockopt $socket, $ipv6, $multicast_if, pack 'i', $index or die "interface: $!";
setsockopt $socket, $ipv6, $multicast_hops, pack 'i', 255 or die "hops: $!";

# 30 minutes as the default router; the prefix is on the link, and addresses are made of it.
my $header = pack 'CCnCCnNN', 134, 0, 0, 64, 0, 1800, 0, 0;
my $option = pack('CCCCNNN', 3, 4, 64, 0xc0, 3600, 1800, 0) . inet_pton AF_INET6, $prefix;
my $everybody = pack_sockaddr_in6 0, inet_pton(AF_INET6, 'ff02::1'), $index;

$| = 1;
print "advertising\n";
while (1) {
  # The link may have no cable yet.
  send $socket, $header . $option, 0, $everybody;
  sleep 1;
}
