{
  empty = [ ];
  single = [ "one" ];
  several = [
    "one"
    "two"
  ];
  nested = [
    [ 1 ]
    [
      1
      2
    ]
    [ ]
    { }
  ];
  sets = [
    { a = 1; }
    {
      a = 1;
      b = 2;
    }
  ];
  set = {
    a = 1;
  };
  none = { };
  longSingle = [
    "a-name-that-takes-a-good-part-of-the-line-for-itselfa-name-that-takes-a-good-part-of-the-line-for-itself"
  ];
  commented = [
    # the first one
    1
    # the second
    # one
    2
  ];
  onlyComment = {
    # nothing yet
  };
}
