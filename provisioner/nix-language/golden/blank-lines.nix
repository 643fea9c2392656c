{
  a = 1;

  # about b
  b = 2;
}
