// Beast compiled once for the whole tree.
#include <boost/beast/src.hpp>
