# header
# */ }; evil = true;
# {
# x��y

{
  # ends
  # here = 1;
  # and = 2;
  # no = 3;
  # nor = 4;
  #
  a = 1;
}
