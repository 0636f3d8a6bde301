// The same numbers hold where the headers are C++.
#include "layout.c"
